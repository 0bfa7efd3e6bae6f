/**
 * A logger for lines that others can cause without end: strangers, workloads, members, other domains. The first line of
 * a kind is written at once. Further ones are counted, and once a minute the last of them is written with the count in
 * `repeated`. What others cannot choose tells kinds apart: the level, the message, the code of the error, and the fields
 * named in `by`. The number of kinds is limited, so a log grows by a bounded number of lines a minute whatever happens.
 */
import type { Clock } from './clock.ts'
import { errorCode } from './errors.ts'
import type { LogFields, Logger } from './logger.ts'

const WINDOW_MS = 60_000
/** Kinds per minute that are told apart. */
const MAX_KINDS = 100
/** What a caller may have chosen is part of a kind only up to this length. */
const MAX_VALUE_CHARS = 128

export interface LimitOptions {
  readonly clock: Clock
  /** Fields that tell kinds apart, such as `method`. */
  readonly by?: readonly string[]
  /** How many lines of a kind are written before they are only counted, until a minute passes without one. Default: 1. */
  readonly burst?: number
}

export interface LimitedLogger extends Logger {
  /** Writes the counts that are due. Lines that come later are written without a limit. */
  close(): void
}

export function limitedLogger(logger: Logger, options: LimitOptions): LimitedLogger {
  const kinds = new Kinds(options)
  return { ...limit(logger, kinds, {}), close: () => kinds.close() }
}

type Level = 'debug' | 'info' | 'warn' | 'error'

interface Line {
  readonly level: Level
  readonly message: string
  readonly fields: LogFields
  readonly logger: Logger
}

interface Seen {
  written: number
  repeated: number
  last: Line
}

function limit(logger: Logger, kinds: Kinds, context: LogFields): Logger {
  const take = (level: Level, message: string, fields: LogFields = {}) =>
    kinds.take({ level, message, fields, logger }, { ...context, ...fields })
  return {
    debug: (message, fields) => take('debug', message, fields),
    info: (message, fields) => take('info', message, fields),
    warn: (message, fields) => take('warn', message, fields),
    error: (message, fields) => take('error', message, fields),
    with: (fields) => limit(logger.with(fields), kinds, { ...context, ...fields }),
  }
}

class Kinds {
  readonly #clock: Clock
  readonly #by: readonly string[]
  readonly #burst: number
  readonly #seen = new Map<string, Seen>()
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor({ clock, by = [], burst = 1 }: LimitOptions) {
    this.#clock = clock
    this.#by = by
    this.#burst = burst
  }

  take(line: Line, fields: LogFields): void {
    if (this.#isClosed) {
      write(line)
      return
    }
    const own = this.#kindOf(line, fields)
    const isKnown = this.#seen.has(own) || this.#seen.size < MAX_KINDS
    const kind = isKnown ? own : `${line.level} of too many kinds`
    const seen = this.#seen.get(kind) ?? { written: 0, repeated: 0, last: line }
    this.#seen.set(kind, seen)
    this.#cancel ??= this.#clock.after(WINDOW_MS, () => this.#report())
    seen.last = line
    if (seen.written >= this.#burst) seen.repeated += 1
    else {
      seen.written += 1
      write(line)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#report()
  }

  /** A kind that was only counted stays known, so that one without a pause is written once a minute. */
  #report(): void {
    this.#cancel = undefined
    for (const [kind, seen] of this.#seen) {
      if (seen.repeated === 0) {
        this.#seen.delete(kind)
        continue
      }
      write({ ...seen.last, fields: { ...seen.last.fields, repeated: seen.repeated } })
      seen.repeated = 0
      seen.written = this.#burst
    }
    if (this.#seen.size > 0 && !this.#isClosed) this.#cancel = this.#clock.after(WINDOW_MS, () => this.#report())
  }

  #kindOf({ level, message }: Line, fields: LogFields): string {
    const values = this.#by.map((name) => String(fields[name] ?? '').slice(0, MAX_VALUE_CHARS))
    const code = fields['error'] === undefined ? '' : errorCode(fields['error'])
    return JSON.stringify([level, message, code, ...values])
  }
}

function write({ level, message, fields, logger }: Line): void {
  logger[level](message, fields)
}
