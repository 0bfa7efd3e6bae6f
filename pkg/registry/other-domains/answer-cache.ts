import { type Clock, isAway, type Logger } from '../../base/index.ts'

/** How long an old answer may stand in for a new one. */
export const LONGEST_STALE_MS = 30 * 60_000
const MAX_ANSWERS = 1_000

interface Answer<V> {
  readonly value: V
  readonly atMs: number
}

export interface AnswerCacheOptions {
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps answers of registries that may be away. Callers that ask the same question at the same time share one call; an
 * old answer is served when nobody answers.
 */
export class AnswerCache<V> {
  readonly #options: AnswerCacheOptions
  readonly #answers = new Map<string, Answer<V>>()
  readonly #calls = new Map<string, Promise<V>>()

  constructor(options: AnswerCacheOptions) {
    this.#options = options
  }

  /** @param freshMs an answer younger than this is served without a call. */
  async get(key: string, freshMs: number, ask: () => Promise<V>): Promise<V> {
    const known = this.#answers.get(key)
    const ageMs = this.#options.clock.monotonicMs() - (known?.atMs ?? Number.NEGATIVE_INFINITY)
    if (known !== undefined && ageMs < freshMs) return known.value
    try {
      return await this.#call(key, ask)
    } catch (error) {
      if (known === undefined || ageMs > LONGEST_STALE_MS || !isAway(error)) throw error
      this.#options.logger.warn('Serving an old answer: the other registry does not answer', { key, ageMs, error })
      return known.value
    }
  }

  #call(key: string, ask: () => Promise<V>): Promise<V> {
    const running = this.#calls.get(key)
    if (running !== undefined) return running
    const call = ask()
      .then((value) => this.#keep(key, value))
      .finally(() => this.#calls.delete(key))
    this.#calls.set(key, call)
    return call
  }

  #keep(key: string, value: V): V {
    this.#answers.delete(key)
    this.#answers.set(key, { value, atMs: this.#options.clock.monotonicMs() })
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > MAX_ANSWERS && oldest !== undefined) this.#answers.delete(oldest)
    return value
  }
}
