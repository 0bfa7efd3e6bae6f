import type { Clock } from './clock.ts'

/** One timer per key, which fires once at its time unless it is set again or cleared before. */
export class Deadlines {
  readonly #clock: Clock
  readonly #onDue: (key: string) => void
  readonly #timers = new Map<string, () => void>()

  /** @param onDue must not throw */
  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** @param atMs milliseconds since the epoch; a time in the past fires immediately */
  set(key: string, atMs: number): void {
    this.clear(key)
    const fire = () => {
      this.#timers.delete(key)
      this.#onDue(key)
    }
    this.#timers.set(key, this.#clock.after(atMs - this.#clock.nowMs(), fire))
  }

  clear(key: string): void {
    this.#timers.get(key)?.()
    this.#timers.delete(key)
  }

  /** Clears all timers. */
  close(): void {
    for (const key of [...this.#timers.keys()]) this.clear(key)
  }
}
