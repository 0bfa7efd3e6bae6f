import { type Clock, sleepWith } from '../clock.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock for tests: time stands still until `advance` moves it, which fires the timers that fall due, in order. */
export class FakeClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<Timer>()

  constructor(startMs = Date.UTC(2030, 0, 1)) {
    this.#nowMs = startMs
  }

  get pending(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal)
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(ms, 0), callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Advances time by `ms`. Promises that a fired callback resolves settle before the next timer fires. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settle()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = next.atMs
      this.#timers.delete(next)
      next.callback()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): Timer | undefined {
    const due = [...this.#timers].filter((timer) => timer.atMs <= untilMs)
    return due.sort((a, b) => a.atMs - b.atMs)[0]
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
