import type { Clock, Logger } from '../base/index.ts'

/** How long an answer stands in for one that cannot be had. */
export const LONGEST_STALE_MS = 30 * 60_000
const MOST_KEYS = 1_000

interface Answer<V> {
  readonly value: V
  readonly atMs: number
}

export interface AnswersOptions {
  /** Whether a failure means that nobody answers now, and not that the answer is no. */
  isAway(error: unknown): boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Remembers answers, asks once for all who ask the same at the same time, and serves old ones when nobody answers. */
export class Answers<V> {
  readonly #options: AnswersOptions
  readonly #known = new Map<string, Answer<V>>()
  readonly #asking = new Map<string, Promise<V>>()

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** @param recentMs how old an answer may be to do without asking. */
  async get(key: string, recentMs: number, ask: () => Promise<V>): Promise<V> {
    const known = this.#known.get(key)
    const ageMs = this.#options.clock.monotonicMs() - (known?.atMs ?? Number.NEGATIVE_INFINITY)
    if (known !== undefined && ageMs < recentMs) return known.value
    try {
      return await this.#askOnce(key, ask)
    } catch (error) {
      if (known === undefined || ageMs > LONGEST_STALE_MS || !this.#options.isAway(error)) throw error
      this.#options.logger.warn('Nobody answers: serving what was answered before', { key, ageMs, error })
      return known.value
    }
  }

  #askOnce(key: string, ask: () => Promise<V>): Promise<V> {
    const running = this.#asking.get(key)
    if (running !== undefined) return running
    const asking = ask()
      .then((value) => this.#remember(key, value))
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  #remember(key: string, value: V): V {
    this.#known.delete(key)
    this.#known.set(key, { value, atMs: this.#options.clock.monotonicMs() })
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KEYS && oldest !== undefined) this.#known.delete(oldest)
    return value
  }
}
