/** All places with their objects, and the only way to change them: serialized per object, and counted. */
import { errorCode, KeyedQueue, NsmError } from '../base/index.ts'
import { type Item, toItem } from './item.ts'
import { type AnyKind, NODE_PLACE, type Together } from './kind.ts'
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

  /** Places with an object that an owner has claimed. */
  claimedPlaces(): readonly string[] {
    return [...this.#places.values()].filter(({ claims }) => claims.size > 0).map(({ name }) => name)
  }

  /** Forgets all places except `names`. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#places.keys()) if (!names.has(name)) this.#places.delete(name)
  }

  /** The current state of a place, observed first if it is in doubt. Concurrent callers share one observation. */
  async known(name: string, signal: AbortSignal): Promise<Place> {
    const place = this.place(name)
    if (!place.isKnown) {
      await this.#observations.run(name, async () => {
        if (!place.isKnown) await place.observe(signal)
      })
    }
    return place
  }

  /** Makes the object as desired. Returns whether that required a change. */
  async ensure(item: Item, signal: AbortSignal): Promise<boolean> {
    const place = await this.known(item.place, signal)
    const { kind, spec, key, id } = item
    const actual = place.get(id)
    if (actual !== undefined && kind.matches(spec, actual)) return false
    const apply = async () => {
      place.set(kind, key, await kind.apply(spec, actual, signal))
      if (actual === undefined) for (const made of kind.together?.(spec) ?? []) this.#set(kind, made)
    }
    await this.#change(place, { ...item, what: 'applies' }, apply)
    return true
  }

  /** Whether the object is as desired, as far as we know. */
  isRight({ place: name, id, kind, spec }: Item): boolean {
    const place = this.place(name)
    const actual = place.get(id)
    return place.isKnown && actual !== undefined && kind.matches(spec, actual)
  }

  #set(kind: AnyKind, { spec, actual }: Together<unknown, unknown>): void {
    const { place, key } = toItem({ kind, spec })
    this.place(place).set(kind, key, actual)
  }

  has({ place, id }: Item): boolean {
    return this.place(place).get(id) !== undefined
  }

  /** Removes the object. Returns whether it existed. */
  async clear(item: Item, signal: AbortSignal): Promise<boolean> {
    const place = await this.known(item.place, signal)
    const actual = place.get(item.id)
    if (actual !== undefined) await this.#remove(place, { ...item, actual }, signal)
    return actual !== undefined
  }

  /** Removes an object that carries our mark but has no owner. */
  async sweep(place: Place, stray: Found, signal: AbortSignal): Promise<void> {
    await this.#remove(
      place,
      { ...stray, isObsolete: () => place.claims.has(stray.id) || place.get(stray.id) === undefined },
      signal,
    )
  }

  async #remove(place: Place, found: Found & Pick<Change, 'isObsolete'>, signal: AbortSignal): Promise<void> {
    await this.#change(place, { ...found, what: 'removes' }, async () => {
      await found.kind.remove(found.key, found.actual, signal)
      place.delete(found.id)
    })
  }

  /** Serializes the changes of an object. A change that has become obsolete while it waited is skipped. */
  #change(place: Place, { kind, key, id, what, isObsolete }: Change, change: () => Promise<void>): Promise<void> {
    return this.#changes.run(`${place.name} ${id}`, async () => {
      if (isObsolete?.() === true) return
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
  readonly isObsolete?: () => boolean
}

function wrap(cause: unknown, fields: { what: string; place: string; kind: string; key: string }): NsmError {
  const { what, ...where } = fields
  const message = what === 'applies' ? 'Cannot create an object of the wire' : 'Cannot remove an object of the wire'
  const next = cause instanceof NsmError ? cause.next : undefined
  return new NsmError(errorCode(cause), message, { cause, fields: where, ...(next === undefined ? {} : { next }) })
}
