/**
 * Where a registry keeps its records. SQLite is one place; every other implementation passes the same suite,
 * testing/store-conformance.ts.
 *
 * Every change has a revision, greater than all before it, over both kinds of records. A watch from a revision yields
 * every record that changed since, at its newest state, so that "list, then watch from there" misses nothing.
 */
import type { NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'

export interface Change<T> {
  readonly revision: number
  readonly value: T
  readonly deleted: boolean
}

export interface Snapshot<T> {
  readonly revision: number
  readonly values: readonly T[]
}

export interface Page<T> {
  readonly values: readonly T[]
  /** The name after which the next page begins; undefined: this was the last one. */
  readonly next: string | undefined
}

/** Of the records in the order of their names. */
export interface NameRange {
  readonly after: string
  readonly most: number
}

/** How many records are looked at for a page: less than a millisecond's work. */
export const PAGE_RECORDS = 16

/** The common part of both kinds of records. `pathIds[0]` is the SPIFFE ID of the owner. */
export interface RegistryRecord {
  readonly name: string
  readonly pathIds: readonly string[]
}

export interface Records<T extends RegistryRecord> {
  get(name: string): Promise<T | undefined>
  /**
   * Writes a record that is new or has the same owner, durable when it resolves.
   * INVARIANT: owner and record are compared and written in one step.
   * @throws {NsmError} `permission_denied` when the name has another owner.
   */
  put(value: T): Promise<void>
  /** Already gone is success. */
  remove(name: string): Promise<void>
  /** The records that match by the rules of rules/matches.ts, ordered by name. */
  list(query: Partial<T>): Promise<Snapshot<T>>
  /** The same in parts, each as it is when it is read. @param after the `next` of the page before, or '' */
  page(query: Partial<T>, after: string): Promise<Page<T>>
  /** Of the newest change. */
  revision(): Promise<number>
  countOwned(owner: string): Promise<number>
  /**
   * Yields the changes after `revision`, then new ones until `signal` aborts.
   * @throws {NsmError} `failed_precondition` when the history does not reach back that far: list again;
   *   `resource_exhausted` when the reader was too slow.
   */
  watch(revision: number, signal: AbortSignal): AsyncIterable<Change<T>>
}

export interface EndpointRecords extends Records<NetworkServiceEndpoint> {
  /** The owners of all endpoints that serve `service`, each once. */
  ownersServing(service: string): Promise<readonly string[]>
  /** Removes the records that expired at or before `nowMs`, and returns when the next one expires. */
  removeExpired(nowMs: number): Promise<number | undefined>
  /**
   * Extends every record that expires before `untilMs` until then; where the store is away, as this registry shows them,
   * until it is back.
   */
  extend(untilMs: number): Promise<void>
}

export interface RegistryStore {
  /** How much the records of a node and its workloads take, in bytes, small ones counted as {@link MIN_RECORD_BYTES}. */
  bytesOf(node: string): Promise<number>
  readonly services: Records<NetworkService>
  readonly endpoints: EndpointRecords
}
