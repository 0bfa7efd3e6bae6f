/** Exponential backoff with jitter, so that many clients that failed together do not all retry at the same moment. */
export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** The next delay in milliseconds: random between half and all of min(maxMs, firstMs * 2^attempts). */
  next(): number {
    const { firstMs, maxMs, random = Math.random } = this.#options
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempts, 30))
    this.#attempts += 1
    return ceilingMs * (0.5 + random() / 2)
  }

  reset(): void {
    this.#attempts = 0
  }
}
