/**
 * Faults of the program itself: exceptions that nobody caught, in timers, event handlers and watches. They do not end a
 * daemon, because what it keeps for others is worth more than a clean slate; they are logged with their place in the
 * code, and a condition says that they happened.
 */
import type { Clock } from './clock.ts'
import { describeError } from './errors.ts'
import type { Logger } from './logger.ts'

/** For so long a fault is worth telling. */
const TOLD_MS = 3_600_000

export class Faults {
  readonly #clock: Clock
  readonly #logger: Logger
  #last: { readonly what: string; readonly atMs: number } | undefined
  #count = 0

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock
    this.#logger = logger
  }

  report(error: unknown): void {
    this.#count += 1
    this.#last = { what: describeError(error), atMs: this.#clock.monotonicMs() }
    const stack = error instanceof Error ? error.stack : undefined
    this.#logger.error('A fault that nobody caught: going on', { error: describeError(error), stack })
  }

  /** The last fault, and how many there were since the start; empty where there was none lately. */
  get problem(): string {
    if (this.#last === undefined || this.#clock.monotonicMs() - this.#last.atMs > TOLD_MS) return ''
    return `${this.#count} faults of the program since its start, the last: ${this.#last.what}`
  }
}
