import { type Clock, isAway, type Logger } from '../../base/index.ts'

/** How long an old answer may stand in for a new one. */
export const LONGEST_STALE_MS = 30 * 60_000
const MAX_ANSWERS = 1_000
/** Of all answers together. */
const MAX_CHARACTERS = 16 * 2 ** 20

interface Answer<V> {
  readonly value: V
  readonly atMs: number
  readonly characters: number
}

export interface AnswerCacheOptions<V> {
  /** How many characters an answer has. */
  weigh(value: V): number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps answers of registries that may be away. Callers that ask the same question at the same time share one call; an
 * old answer is served when nobody answers.
 */
export class AnswerCache<V> {
  readonly #options: AnswerCacheOptions<V>
  readonly #answers = new Map<string, Answer<V>>()
  readonly #calls = new Map<string, Promise<V>>()
  #characters = 0

  constructor(options: AnswerCacheOptions<V>) {
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
    const characters = this.#options.weigh(value)
    this.#forget(key)
    this.#answers.set(key, { value, atMs: this.#options.clock.monotonicMs(), characters })
    this.#characters += characters
    for (const oldest of [...this.#answers.keys()]) {
      if (this.#answers.size <= MAX_ANSWERS && this.#characters <= MAX_CHARACTERS) break
      this.#forget(oldest)
    }
    return value
  }

  #forget(key: string): void {
    this.#characters -= this.#answers.get(key)?.characters ?? 0
    this.#answers.delete(key)
  }
}
