/**
 * The log sink of all programs: one JSON object per line on standard error, written by pino. JSON escapes control
 * characters, so that no value can forge a line. Fields whose names suggest a secret are masked, and long values are cut,
 * because others may have chosen them.
 */
import { pino } from 'pino'
import { describeError, type LogFields, type Logger, toPrintableLines } from '../base/index.ts'

const SECRET_FIELD = /.key$|token|secret|password|jwt|authorization/i
const MASK = '[redacted]'
const MAX_DEPTH = 4
const MAX_VALUE_CHARS = 2048

export interface JsonLoggerOptions {
  readonly program: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Receives the lines in tests; by default they go to standard error. */
  readonly write?: (line: string) => void
}

export function jsonLogger(options: JsonLoggerOptions): Logger {
  const { program, level, write } = options
  const standardError = write === undefined ? pino.destination({ fd: 2, sync: true }) : { write }
  const destination = { write: (line: string) => void standardError.write(toPrintableLines(line)) }
  const sink = pino(
    {
      level,
      base: { program },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  )
  return wrap(sink)
}

function wrap(sink: pino.Logger): Logger {
  return {
    debug: (message, fields) => sink.debug(mask(fields), message),
    info: (message, fields) => sink.info(mask(fields), message),
    warn: (message, fields) => sink.warn(mask(fields), message),
    error: (message, fields) => sink.error(mask(fields), message),
    with: (fields) => wrap(sink.child(mask(fields))),
  }
}

function mask(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, maskField(name, value, MAX_DEPTH)]))
}

function maskField(name: string, value: unknown, depth: number): unknown {
  if (SECRET_FIELD.test(name)) return MASK
  if (value instanceof Error) return cut(describeError(value))
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value))
    return depth === 0 ? `${value.length} entries` : value.map((entry) => maskField('', entry, depth - 1))
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '[object]'
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskField(key, inner, depth - 1)]))
}

function cut(text: string): string {
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}... (${text.length} characters)`
}
