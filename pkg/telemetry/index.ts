/** Where logs go. */
export { type JsonLoggerOptions, jsonLogger } from './json-logger.ts'
