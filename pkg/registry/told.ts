import { isDeepStrictEqual } from 'node:util'
import type { Found } from '../api/index.ts'
import type { RegistryRecord } from './store.ts'

/**
 * What one watcher has been told, so that it hears of each record once per change, and of each that it knows when
 * the record is gone: deleted, no longer matching, or no longer visible.
 */
export class Told<T extends RegistryRecord> {
  readonly #show: (value: T) => T | undefined
  readonly #known = new Map<string, T>()

  /** @param show the value as this watcher may see it; undefined when it may not, or when it does not match. */
  constructor(show: (value: T) => T | undefined) {
    this.#show = show
  }

  get size(): number {
    return this.#known.size
  }

  knows(name: string): boolean {
    return this.#known.has(name)
  }

  /** What to tell when `values` is everything that there is. */
  *present(values: readonly T[]): Generator<Found<T>> {
    const names = new Set(values.map(({ name }) => name))
    const gone = [...this.#known.values()].filter(({ name }) => !names.has(name))
    for (const value of gone) yield* this.forget(value.name)
    for (const value of values) yield* this.change({ value, deleted: false })
  }

  /** What to tell of one change. */
  *change({ value, deleted }: Found<T>): Generator<Found<T>> {
    const shown = deleted ? undefined : this.#show(value)
    if (shown === undefined) return yield* this.forget(value.name)
    if (isDeepStrictEqual(this.#known.get(value.name), shown)) return
    this.#known.set(value.name, shown)
    yield { value: shown, deleted: false }
  }

  *forget(name: string): Generator<Found<T>> {
    const known = this.#known.get(name)
    if (known === undefined) return
    this.#known.delete(name)
    yield { value: known, deleted: true }
  }
}
