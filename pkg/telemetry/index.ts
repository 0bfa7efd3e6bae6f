/** Where logs go and what their fields are called. */
export { field } from './fields.ts'
export { type JsonLoggerOptions, jsonLogger } from './json-logger.ts'
