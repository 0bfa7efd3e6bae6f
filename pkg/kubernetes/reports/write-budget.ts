import type { Clock } from '../../base/index.ts'

export interface Budget {
  /** Writes that may come at once. */
  readonly burst: number
  /** Afterwards, one in so long. */
  readonly everyMs: number
}

/** How often something may be written. Kept as the time at which all that was given is used up (GCRA, ITU-T I.371). */
export class WriteBudget {
  readonly #budget: Budget
  readonly #clock: Clock
  #usedUpMs = 0

  constructor(budget: Budget, clock: Clock) {
    this.#budget = budget
    this.#clock = clock
  }

  /** 0: now. */
  get waitMs(): number {
    const { burst, everyMs } = this.#budget
    return Math.max(0, this.#usedUpMs - this.#clock.monotonicMs() - (burst - 1) * everyMs)
  }

  take(): void {
    this.#usedUpMs = Math.max(this.#clock.monotonicMs(), this.#usedUpMs) + this.#budget.everyMs
  }
}
