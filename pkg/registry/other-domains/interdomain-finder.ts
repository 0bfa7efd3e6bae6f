import type { Found } from '../../api/index.ts'
import {
  type Clock,
  errorCode,
  followStream,
  isAway,
  type Logger,
  NsmError,
  paced,
  qualifyName,
  within,
} from '../../base/index.ts'
import { SentRecords } from '../find/sent-records.ts'
import type { RegistryRecord } from '../store/registry-store.ts'
import { AnswerCache, LONGEST_STALE_MS } from './answer-cache.ts'
import { SharedWatches } from './shared-watches.ts'

const ANSWER_MS = 2_000
/** An answer younger than this is served without a call. */
const FRESH_MS = 2_000
const MAX_VALUES = 1_000
/** Of one answer, and of what one watch holds. */
const MAX_CHARACTERS = 2 ** 20
/** Records that a watch drops before it starts again, later each time. */
const MAX_DROPPED = 100
/** How fast the changes of a watch are read, each of which goes to all who watch. */
const PACE = { most: 500, ms: 1_000 }
const RETRY = { firstMs: 250, maxMs: 15_000 }

export interface InterdomainQuery<T> {
  readonly domain: string
  /** Names without `@domain`. */
  readonly query: Partial<T>
  readonly signal: AbortSignal
}

export interface InterdomainFinderOptions<T> {
  /** @throws {NsmError} `not_found` when the domain has not joined. */
  checkJoined(domain: string): void
  ask(query: InterdomainQuery<T>, watch: boolean): AsyncIterable<Found<T>>
  /** The value with `@domain` in its names; undefined when it breaks our rules. */
  accept(value: T, domain: string): T | undefined
  encode(value: T): string
  readonly clock: Clock
  readonly logger: Logger
}

/** Finds and watches one kind of record in the registries of other domains. */
export class InterdomainFinder<T extends RegistryRecord> {
  readonly #options: InterdomainFinderOptions<T>
  readonly #answers: AnswerCache<readonly T[]>
  readonly #watches = new SharedWatches<T>()

  constructor(options: InterdomainFinderOptions<T>) {
    this.#options = options
    const weigh = (values: readonly T[]) => values.reduce((sum, value) => sum + options.encode(value).length, 0)
    this.#answers = new AnswerCache({ ...options, weigh })
  }

  async *find(query: InterdomainQuery<T>): AsyncGenerator<Found<T>> {
    for (const value of await this.#answer(query, FRESH_MS)) yield { value, deleted: false }
  }

  async *watch(query: InterdomainQuery<T>): AsyncGenerator<Found<T>> {
    this.#options.checkJoined(query.domain)
    const follow = (signal: AbortSignal) => this.#follow({ ...query, signal })
    yield* this.#watches.join(keyOf(query), follow, query.signal)
  }

  /**
   * NSM's watch does not mark the end of its initial state, so each (re)connection first asks without watching: what
   * is missing in that answer is gone. A record that goes between that answer and the watch is noticed at the next
   * connection, or when it expires. While the other registry is away nothing is withdrawn, until it is away too long.
   */
  #follow(query: InterdomainQuery<T>): AsyncGenerator<Found<T>> {
    const { clock, logger } = this.#options
    const sent = new SentRecords<T>((value) => value)
    let list = () => this.#answer(query, 0) // the first list may be an old answer, the later ones may not
    let awaySinceMs: number | undefined
    const isAwayTooLong = () => {
      awaySinceMs ??= clock.monotonicMs()
      return clock.monotonicMs() - awaySinceMs > LONGEST_STALE_MS
    }
    let hasAnswered = false
    const onAnswer = () => {
      hasAnswered = true
      awaySinceMs = undefined
      list = () => this.#collect(query)
    }
    const onFailure = (error: unknown) => {
      if (isAwayTooLong() || !hasAnswered || !isTransient(error)) throw error // ends the watch
      logger.warn('Lost the watch on another domain: trying again', { domain: query.domain, error })
    }
    const listAndWatch = () => this.#listAndWatch({ query, sent, list: () => list(), onAnswer })
    return followStream({ clock, retry: RETRY, signal: query.signal, onFailure }, listAndWatch)
  }

  async *#listAndWatch({ query, sent, list, onAnswer }: Round<T>): AsyncGenerator<Found<T>> {
    const listed = await list()
    const held = new HeldRecords(listed, this.#options.encode)
    yield* sent.onList(listed)
    onAnswer()
    let dropped = 0
    const { clock } = this.#options
    const { signal } = query
    for await (const { value, deleted } of paced(this.#options.ask(query, true), { ...PACE, clock, signal })) {
      const accepted = this.#options.accept(value, query.domain)
      const name = qualifyName(value.name, query.domain)
      if (deleted) held.remove(name)
      if (accepted !== undefined && (deleted || held.hasRoomFor(accepted))) {
        yield* sent.onChange({ value: accepted, deleted })
        continue
      }
      held.remove(name)
      this.#logDropped(query.domain, value)
      yield* sent.onGone(name)
      dropped += 1
      if (dropped > MAX_DROPPED) throw sendsJunk(query.domain)
    }
  }

  /** A fresh answer from the cache, or a new one, or an old one when the other registry does not answer. */
  #answer(query: InterdomainQuery<T>, freshMs: number): Promise<readonly T[]> {
    this.#options.checkJoined(query.domain) // answers of a domain that has left are not served
    return this.#answers.get(keyOf(query), freshMs, () => this.#collect(query))
  }

  /** Not within the caller's signal: others may wait for the same answer. */
  #collect({ domain, query }: InterdomainQuery<T>): Promise<readonly T[]> {
    return within({ clock: this.#options.clock, ms: ANSWER_MS }, (signal) => this.#read({ domain, query, signal }))
  }

  /** Reads one answer, and no more of it than one query may cost us. */
  async #read(query: InterdomainQuery<T>): Promise<readonly T[]> {
    const { domain } = query
    const values: T[] = []
    let characters = 0
    for await (const { value } of this.#options.ask(query, false)) {
      characters += this.#options.encode(value).length
      const accepted = this.#options.accept(value, domain)
      if (accepted === undefined) this.#logDropped(domain, value)
      else values.push(accepted)
      if (values.length < MAX_VALUES && characters < MAX_CHARACTERS) continue
      this.#options.logger.warn('Cut off the answer of another domain: it is too long', {
        domain,
        taken: values.length,
      })
      break
    }
    return values
  }

  #logDropped(domain: string, { name }: T): void {
    const fields = { domain, name: name.slice(0, 64) }
    this.#options.logger.warn('Dropped a record of another domain: it breaks a rule or a limit', fields)
  }
}

/** How much a watch holds. */
class HeldRecords<T extends RegistryRecord> {
  readonly #encode: (value: T) => string
  readonly #sizes = new Map<string, number>()
  #characters = 0

  constructor(values: readonly T[], encode: (value: T) => string) {
    this.#encode = encode
    for (const value of values) this.hasRoomFor(value)
  }

  /** Whether the record, new or changed, fits; if so, it is held. */
  hasRoomFor(value: T): boolean {
    const size = this.#encode(value).length
    const before = this.#sizes.get(value.name)
    const characters = this.#characters + size - (before ?? 0)
    if (characters > MAX_CHARACTERS || (before === undefined && this.#sizes.size >= MAX_VALUES)) return false
    this.#sizes.set(value.name, size)
    this.#characters = characters
    return true
  }

  remove(name: string): void {
    this.#characters -= this.#sizes.get(name) ?? 0
    this.#sizes.delete(name)
  }
}

function sendsJunk(domain: string): NsmError {
  return new NsmError('resource_exhausted', 'Cannot follow the domain: it sends records that break our rules', {
    fields: { domain, dropped: MAX_DROPPED },
  })
}

interface Round<T extends RegistryRecord> {
  readonly query: InterdomainQuery<T>
  readonly sent: SentRecords<T>
  list(): Promise<readonly T[]>
  onAnswer(): void
}

function keyOf<T>({ domain, query }: InterdomainQuery<T>): string {
  return JSON.stringify([domain, query], (_, value) => (value instanceof Map ? [...value] : value))
}

/** A registry that is away comes back; one that cut us off for reading too slowly lets us start again. */
function isTransient(error: unknown): boolean {
  return isAway(error) || ['resource_exhausted', 'cancelled'].includes(errorCode(error))
}
