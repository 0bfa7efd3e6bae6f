/** The places with what is in them, and the only way to change it: one change of an object at a time, counted. */
import { errorCode, KeyedQueue, NsmError } from '../base/index.ts'
import type { Item } from './item.ts'
import { type AnyKind, NODE_PLACE } from './kind.ts'
import { KindCounters } from './kind-counters.ts'
import { type Found, Place } from './place.ts'

export class World {
  readonly counters: KindCounters
  readonly #kinds: readonly AnyKind[]
  readonly #places = new Map<string, Place>()
  readonly #observations = new KeyedQueue()
  readonly #changes = new KeyedQueue()

  /** @param kinds in the order of creation */
  constructor(kinds: readonly AnyKind[]) {
    this.#kinds = kinds
    this.counters = new KindCounters(kinds.map(({ name }) => name))
  }

  place(name: string): Place {
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const kinds = this.#kinds.filter((kind) => (kind.place === undefined) === (name === NODE_PLACE))
    const place = new Place(name, kinds)
    this.#places.set(name, place)
    return place
  }

  /** Places with something that an owner wants. */
  claimedPlaces(): readonly string[] {
    return [...this.#places.values()].filter(({ claims }) => claims.size > 0).map(({ name }) => name)
  }

  /** Forgets places that nobody can see and nobody wants anything in. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#places.keys()) if (!names.has(name)) this.#places.delete(name)
  }

  /** The place as it is: looked at first where that is in doubt. Many who ask at the same time share one look. */
  async known(name: string, signal: AbortSignal): Promise<Place> {
    const place = this.place(name)
    if (!place.isKnown) {
      await this.#observations.run(name, async () => {
        if (!place.isKnown) await place.observe(signal)
      })
    }
    return place
  }

  /** Returns whether there was something to do. */
  async ensure(item: Item, signal: AbortSignal): Promise<boolean> {
    const place = await this.known(item.place, signal)
    const { kind, spec, key, id } = item
    const actual = place.get(id)
    if (actual !== undefined && kind.matches(spec, actual)) return false
    const apply = async () => place.set(kind, key, await kind.apply(spec, actual, signal))
    await this.#change(place, { ...item, what: 'applies' }, apply)
    return true
  }

  has({ place, id }: Item): boolean {
    return this.place(place).get(id) !== undefined
  }

  /** Returns whether there was something to remove. */
  async clear(item: Item, signal: AbortSignal): Promise<boolean> {
    const place = await this.known(item.place, signal)
    const actual = place.get(item.id)
    if (actual !== undefined) await this.#remove(place, { ...item, actual }, signal)
    return actual !== undefined
  }

  /** Removes what carries our mark and nobody wants. */
  async sweep(place: Place, stray: Found, signal: AbortSignal): Promise<void> {
    await this.#remove(
      place,
      { ...stray, isMoot: () => place.claims.has(stray.id) || place.get(stray.id) === undefined },
      signal,
    )
  }

  async #remove(place: Place, found: Found & Pick<Change, 'isMoot'>, signal: AbortSignal): Promise<void> {
    await this.#change(place, { ...found, what: 'removes' }, async () => {
      await found.kind.remove(found.key, found.actual, signal)
      place.delete(found.id)
    })
  }

  /** One change of an object at a time; what has become moot while it waited for its turn is left out. */
  #change(place: Place, { kind, key, id, what, isMoot }: Change, change: () => Promise<void>): Promise<void> {
    return this.#changes.run(`${place.name} ${id}`, async () => {
      if (isMoot?.() === true) return
      this.counters.count(kind.name, what)
      try {
        await change()
      } catch (cause) {
        this.counters.count(kind.name, 'failures')
        place.doubt()
        throw wrap(cause, { what, place: place.name, kind: kind.name, key })
      }
    })
  }
}

interface Change {
  readonly kind: AnyKind
  readonly key: string
  readonly id: string
  readonly what: 'applies' | 'removes'
  readonly isMoot?: () => boolean
}

function wrap(cause: unknown, fields: { what: string; place: string; kind: string; key: string }): NsmError {
  const { what, ...where } = fields
  const message = what === 'applies' ? 'Cannot make an object of a wire' : 'Cannot remove an object of a wire'
  const next = cause instanceof NsmError ? cause.next : undefined
  return new NsmError(errorCode(cause), message, { cause, fields: where, ...(next === undefined ? {} : { next }) })
}
