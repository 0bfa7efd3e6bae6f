/**
 * What we know about one place: the objects in it, and which owner has claimed which of them. The objects are known
 * from the last observation and from our own changes since then.
 */
import { NsmError } from '../base/index.ts'
import { itemId } from './item.ts'
import type { AnyKind } from './kind.ts'

export interface Found {
  readonly kind: AnyKind
  readonly key: string
  readonly id: string
  readonly actual: unknown
}

export class Place {
  readonly name: string
  readonly #kinds: readonly AnyKind[]
  readonly #found = new Map<string, Found>()
  /** For each running observation, the objects that we changed meanwhile. For those, its result may be outdated. */
  readonly #observations = new Set<Set<string>>()
  /** Objects of which no event has told yet that they are as we made them: an event may be older than that. */
  readonly #unconfirmed = new Set<string>()
  #doubts = 1
  #doubtsAnswered = 0
  /** The owner of each item, by the id of the item. */
  readonly claims = new Map<string, string>()

  constructor(name: string, kinds: readonly AnyKind[]) {
    this.name = name
    this.#kinds = kinds
  }

  /** False before the first observation, and from {@link doubt} until the next one. */
  get isKnown(): boolean {
    return this.#doubts === this.#doubtsAnswered
  }

  /** Something may have changed here that we do not know about. */
  doubt(): void {
    this.#doubts += 1
  }

  get(id: string): unknown {
    return this.#found.get(id)?.actual
  }

  set(kind: AnyKind, key: string, actual: unknown): void {
    const id = itemId(kind, key)
    this.#found.set(id, { kind, key, id, actual })
    this.#unconfirmed.add(id)
    for (const touched of this.#observations) touched.add(id)
  }

  delete(id: string): void {
    this.#found.delete(id)
    this.#unconfirmed.delete(id)
    for (const touched of this.#observations) touched.add(id)
  }

  /** An event has told that the object is as we know it. */
  confirm(id: string): void {
    this.#unconfirmed.delete(id)
  }

  isConfirmed(id: string): boolean {
    return !this.#unconfirmed.has(id)
  }

  /** The objects of ours that no owner has claimed, in the order of removal. */
  strays(): readonly Found[] {
    const isStray = ({ id, kind, actual }: Found) => !this.claims.has(id) && kind.isForeign?.(actual) !== true
    const strays = [...this.#found.values()].filter(isStray)
    return strays.sort((a, b) => this.#kinds.indexOf(b.kind) - this.#kinds.indexOf(a.kind))
  }

  async observe(signal: AbortSignal): Promise<void> {
    const doubts = this.#doubts
    const touched = new Set<string>()
    this.#observations.add(touched)
    try {
      const found = await Promise.all(this.#kinds.map((kind) => this.#look(kind, signal)))
      this.#replace(found.flat(), touched)
      this.#doubtsAnswered = doubts
    } finally {
      this.#observations.delete(touched)
    }
  }

  /** A namespace that cannot be found no longer exists, and neither do its objects. */
  async #look(kind: AnyKind, signal: AbortSignal): Promise<Found[]> {
    try {
      const actuals = await kind.observe(this.name, signal)
      return [...actuals].map(([key, actual]) => ({ kind, key, id: itemId(kind, key), actual }))
    } catch (error) {
      if (error instanceof NsmError && error.code === 'not_found') return []
      throw error
    }
  }

  #replace(found: readonly Found[], touched: ReadonlySet<string>): void {
    for (const id of [...this.#found.keys()]) if (!touched.has(id)) this.#found.delete(id)
    for (const id of [...this.#unconfirmed]) if (!touched.has(id)) this.#unconfirmed.delete(id)
    for (const item of found) if (!touched.has(item.id)) this.#found.set(item.id, item)
  }
}
