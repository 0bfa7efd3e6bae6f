/**
 * What is known of one place: the objects that are there, and which owner claims which. Objects are known from an
 * observation, and from what we have done since.
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
  /** Per running observation, what we wrote meanwhile: there the observation may show the past. */
  readonly #observations = new Set<Set<string>>()
  #doubts = 1
  #doubtsAnswered = 0
  /** Item id to owner. */
  readonly claims = new Map<string, string>()

  constructor(name: string, kinds: readonly AnyKind[]) {
    this.name = name
    this.#kinds = kinds
  }

  /** False before the first observation, and after {@link doubt} until the next. */
  get isKnown(): boolean {
    return this.#doubts === this.#doubtsAnswered
  }

  /** Something may have happened here that we do not know of. */
  doubt(): void {
    this.#doubts += 1
  }

  get(id: string): unknown {
    return this.#found.get(id)?.actual
  }

  set(kind: AnyKind, key: string, actual: unknown): void {
    const id = itemId(kind, key)
    this.#found.set(id, { kind, key, id, actual })
    for (const touched of this.#observations) touched.add(id)
  }

  delete(id: string): void {
    this.#found.delete(id)
    for (const touched of this.#observations) touched.add(id)
  }

  /** What no owner claims, in the order of removal. */
  strays(): readonly Found[] {
    const strays = [...this.#found.values()].filter(({ id }) => !this.claims.has(id))
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

  /** A namespace that cannot be found has ended, and all that was in it. */
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
    for (const item of found) if (!touched.has(item.id)) this.#found.set(item.id, item)
  }
}
