/** The records of one kind in memory, and how they are found, for stores that keep a copy. */
import type { NetworkServiceEndpoint } from '../../api/index.ts'
import type { NameRange, RegistryRecord } from './registry-store.ts'
import { SortedNames } from './sorted-names.ts'

export class RecordIndex<T extends RegistryRecord> {
  readonly #records = new Map<string, T>()
  readonly #names = new SortedNames()
  readonly #owned = new Map<string, number>()

  get(name: string): T | undefined {
    return this.#records.get(name)
  }

  values(): IterableIterator<T> {
    return this.#records.values()
  }

  countOwned(owner: string): number {
    return this.#owned.get(owner) ?? 0
  }

  set(value: T): void {
    this.delete(value.name)
    this.#records.set(value.name, value)
    this.#names.add(value.name)
    this.#count(value, 1)
  }

  delete(name: string): T | undefined {
    const value = this.#records.get(name)
    if (value === undefined) return undefined
    this.#records.delete(name)
    this.#names.delete(name)
    this.#count(value, -1)
    return value
  }

  /** Every record of the range that may match. */
  candidates({ name = '' }: Partial<T>, range: NameRange): readonly T[] {
    return this.named(name === '' ? this.#names.after(range.after, range.most) : [name])
  }

  protected named(names: readonly string[]): readonly T[] {
    return names.flatMap((name) => this.#records.get(name) ?? [])
  }

  #count({ pathIds: [owner = ''] }: T, more: number): void {
    const count = this.countOwned(owner) + more
    if (count === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, count)
  }
}

/** Endpoints can be found by the services that they serve. */
export class EndpointIndex extends RecordIndex<NetworkServiceEndpoint> {
  readonly #serving = new Map<string, SortedNames>()

  override set(value: NetworkServiceEndpoint): void {
    super.set(value)
    for (const service of value.networkServiceNames) this.#namesServing(service).add(value.name)
  }

  override delete(name: string): NetworkServiceEndpoint | undefined {
    const value = super.delete(name)
    for (const service of value?.networkServiceNames ?? []) {
      const names = this.#namesServing(service)
      names.delete(name)
      if (names.size === 0) this.#serving.delete(service)
    }
    return value
  }

  serving(service: string): readonly NetworkServiceEndpoint[] {
    return this.named(this.#serving.get(service)?.after('') ?? [])
  }

  override candidates(query: Partial<NetworkServiceEndpoint>, range: NameRange): readonly NetworkServiceEndpoint[] {
    const [service] = query.networkServiceNames ?? []
    if (service === undefined || (query.name ?? '') !== '') return super.candidates(query, range)
    return this.named(this.#serving.get(service)?.after(range.after, range.most) ?? [])
  }

  #namesServing(service: string): SortedNames {
    const names = this.#serving.get(service) ?? new SortedNames()
    this.#serving.set(service, names)
    return names
  }
}
