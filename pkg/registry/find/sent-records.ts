import { isDeepStrictEqual } from 'node:util'
import type { Found } from '../../api/index.ts'
import type { RegistryRecord } from '../store/registry-store.ts'

/**
 * The records that one watcher has been sent. Each method yields what to send next, so that the watcher hears of a
 * record only when it changed for this watcher, and of its end when it was deleted, matches no more, or must not be
 * seen any more.
 */
export class SentRecords<T extends RegistryRecord> {
  readonly #show: (value: T) => T | undefined
  readonly #sent = new Map<string, T>()

  /** @param show the value as this watcher may see it; undefined when it may not, or when it does not match. */
  constructor(show: (value: T) => T | undefined) {
    this.#show = show
  }

  get size(): number {
    return this.#sent.size
  }

  has(name: string): boolean {
    return this.#sent.has(name)
  }

  /** After a list: `values` is everything there is. */
  *onList(values: readonly T[]): Generator<Found<T>> {
    const names = new Set(values.map(({ name }) => name))
    const gone = [...this.#sent.values()].filter(({ name }) => !names.has(name))
    for (const value of gone) yield* this.onGone(value.name)
    for (const value of values) yield* this.onChange({ value, deleted: false })
  }

  *onChange({ value, deleted }: Found<T>): Generator<Found<T>> {
    const shown = deleted ? undefined : this.#show(value)
    if (shown === undefined) return yield* this.onGone(value.name)
    if (isDeepStrictEqual(this.#sent.get(value.name), shown)) return
    this.#sent.set(value.name, shown)
    yield { value: shown, deleted: false }
  }

  *onGone(name: string): Generator<Found<T>> {
    const sent = this.#sent.get(name)
    if (sent === undefined) return
    this.#sent.delete(name)
    yield { value: sent, deleted: true }
  }
}
