import type { Found } from '../api/index.ts'
import { Backoff, type Clock, errorCode, type Logger, withTimeout } from '../base/index.ts'
import { Answers, LONGEST_STALE_MS } from './answers.ts'
import { joinName } from './names.ts'
import { SharedWatches } from './shared-watches.ts'
import type { RegistryRecord } from './store.ts'
import { Told } from './told.ts'

const ANSWER_MS = 2_000
/** How old an answer may be to be given again without asking. */
const RECENT_MS = 2_000
const MOST_VALUES = 1_000
const MOST_CHARACTERS = 4 * 2 ** 20

export interface AcrossSearch<T> {
  readonly domain: string
  /** Names without `@domain`. */
  readonly query: Partial<T>
  readonly signal: AbortSignal
}

export interface AcrossOptions<T> {
  /** @throws {NsmError} `not_found`. */
  checkJoined(domain: string): void
  ask(search: AcrossSearch<T>, watch: boolean): AsyncIterable<Found<T>>
  /** The answer with `@domain` in its names; undefined when it is not fit to be passed on. */
  accept(value: T, domain: string): T | undefined
  encode(value: T): string
  readonly clock: Clock
  readonly logger: Logger
}

/** One kind of record, searched for in other domains. */
export class Across<T extends RegistryRecord> {
  readonly #options: AcrossOptions<T>
  readonly #answers: Answers<readonly T[]>
  readonly #watches = new SharedWatches<T>()

  constructor(options: AcrossOptions<T>) {
    this.#options = options
    this.#answers = new Answers({ isAway, clock: options.clock, logger: options.logger })
  }

  async *find(search: AcrossSearch<T>): AsyncGenerator<Found<T>> {
    for (const value of await this.#known(search, RECENT_MS)) yield { value, deleted: false }
  }

  async *watch(search: AcrossSearch<T>): AsyncGenerator<Found<T>> {
    this.#options.checkJoined(search.domain)
    const follow = (signal: AbortSignal) => this.#follow({ ...search, signal })
    yield* this.#watches.join(keyOf(search), follow, search.signal)
  }

  /**
   * A watch has no mark where its present state ends, so that each (re)connection asks once without watching: what is
   * not in that answer is gone. What goes between that answer and the watch is found out at the next connection, or
   * when it expires. While the other registry is away nothing goes, until it has been away for too long.
   */
  async *#follow(search: AcrossSearch<T>): AsyncGenerator<Found<T>> {
    const { clock } = this.#options
    const told = new Told<T>((value) => value)
    const backoff = new Backoff({ firstMs: 250, mostMs: 15_000 })
    let answer = () => this.#known(search, 0)
    let hasAnswered = false
    let awaySinceMs: number | undefined
    while (!search.signal.aborted) {
      try {
        yield* told.present(await answer())
        hasAnswered = true
        awaySinceMs = undefined
        answer = () => this.#collect(search)
        for await (const found of this.#options.ask(search, true)) {
          backoff.reset()
          yield* this.#tell(told, search.domain, found)
        }
      } catch (error) {
        if (search.signal.aborted) return
        awaySinceMs ??= clock.monotonicMs()
        const isTooLong = clock.monotonicMs() - awaySinceMs > LONGEST_STALE_MS
        if (!hasAnswered || isTooLong || !isWorthRetrying(error)) throw error
        this.#options.logger.warn('Watching another domain was interrupted', { domain: search.domain, error })
      }
      await clock.sleep(backoff.next(), search.signal).catch(() => {})
    }
  }

  *#tell(told: Told<T>, domain: string, { value, deleted }: Found<T>): Generator<Found<T>> {
    const accepted = this.#options.accept(value, domain)
    const name = joinName(value.name, domain)
    if (accepted !== undefined && (told.knows(name) || deleted || told.size < MOST_VALUES)) {
      return yield* told.change({ value: accepted, deleted })
    }
    this.#logDropped(domain, value)
    yield* told.forget(name)
  }

  /** The answer from a while ago, or a new one, or an old one when nobody answers. */
  #known(search: AcrossSearch<T>, recentMs: number): Promise<readonly T[]> {
    // What is remembered of a domain is not served once it has left.
    this.#options.checkJoined(search.domain)
    return this.#answers.get(keyOf(search), recentMs, () => this.#collect(search))
  }

  /** Takes at most so many answers, and so much of them, as one search may cost us. */
  async #collect({ domain, query }: AcrossSearch<T>): Promise<readonly T[]> {
    const values: T[] = []
    let characters = 0
    const signal = withTimeout(undefined, ANSWER_MS) // not the caller's: others may wait for the same answer
    for await (const { value } of this.#options.ask({ domain, query, signal }, false)) {
      characters += this.#options.encode(value).length
      const accepted = this.#options.accept(value, domain)
      if (accepted === undefined) this.#logDropped(domain, value)
      else values.push(accepted)
      if (values.length < MOST_VALUES && characters < MOST_CHARACTERS) continue
      this.#options.logger.warn('Another domain answers more than we take', { domain, taken: values.length })
      break
    }
    return values
  }

  #logDropped(domain: string, { name }: T): void {
    this.#options.logger.warn('An answer of another domain was dropped: it breaks a rule or a limit', {
      domain,
      name: name.slice(0, 64),
    })
  }
}

function keyOf<T>({ domain, query }: AcrossSearch<T>): string {
  return JSON.stringify([domain, query], (_, value) => (value instanceof Map ? [...value] : value))
}

function isAway(error: unknown): boolean {
  return ['unavailable', 'deadline_exceeded'].includes(errorCode(error))
}

/** Too slow a reader starts again from the present state; a registry that is away comes back. */
function isWorthRetrying(error: unknown): boolean {
  return isAway(error) || ['resource_exhausted', 'cancelled'].includes(errorCode(error))
}
