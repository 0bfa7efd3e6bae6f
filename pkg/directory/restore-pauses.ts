import { Backoff, type Clock, Deadlines } from '../base/index.ts'

const PAUSES = { firstMs: 1_000, maxMs: 60_000 }
/** What has stood for so long is restored at once again. */
const STEADY_MS = 120_000

/**
 * How long to wait before restoring what somebody takes away: not at all the first time, then longer and longer, since who
 * takes it away again will go on.
 */
export class RestorePauses {
  readonly #clock: Clock
  readonly #pauses = new Map<string, Backoff>()
  readonly #steady: Deadlines

  constructor(clock: Clock) {
    this.#clock = clock
    this.#steady = new Deadlines(clock, (name) => this.#pauses.delete(name))
  }

  /** Milliseconds. */
  next(name: string): number {
    const pauses = this.#pauses.get(name)
    const pauseMs = pauses?.next() ?? 0
    if (pauses === undefined) this.#pauses.set(name, new Backoff(PAUSES))
    this.#steady.set(name, this.#clock.nowMs() + pauseMs + STEADY_MS)
    return pauseMs
  }

  close(): void {
    this.#steady.close()
  }
}
