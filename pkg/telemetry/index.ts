/** Sinks of logs. */
export { type JsonLoggerOptions, jsonLogger } from './json-logger.ts'
