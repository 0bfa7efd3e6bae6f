/** Delays between tries: exponential with full jitter, so that a crowd that failed together does not return together. */
export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

export class Backoff {
  readonly #options: BackoffOptions
  #tries = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds to wait before the next try: between half and all of first * 2^tries, at most `maxMs`. */
  next(): number {
    const { firstMs, maxMs, random = Math.random } = this.#options
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#tries, 30))
    this.#tries += 1
    return ceilingMs * (0.5 + random() / 2)
  }

  reset(): void {
    this.#tries = 0
  }
}
