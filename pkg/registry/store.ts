/**
 * Where a registry keeps its records. SQLite is one place; whatever is put behind this interface later passes the
 * same suite, store-conformance.ts.
 *
 * Every change has a revision, greater than all before it, over both kinds of records. A watch from a revision gives
 * every record that changed since, at its newest state, so that "list, then watch from there" misses nothing.
 */
import type { NetworkService, NetworkServiceEndpoint } from '../api/index.ts'

export interface Change<T> {
  readonly revision: number
  readonly value: T
  readonly deleted: boolean
}

export interface Snapshot<T> {
  readonly revision: number
  readonly values: readonly T[]
}

/** What both kinds of records have. `pathIds[0]` is the SPIFFE ID of the owner. */
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
  /** What matches by the rules of matches.ts, by name. */
  list(query: Partial<T>): Promise<Snapshot<T>>
  countOwned(owner: string): Promise<number>
  /**
   * Yields the changes after `revision`, then new ones until `signal` aborts.
   * @throws {NsmError} `failed_precondition` when the history does not reach back so far: list again;
   *   `resource_exhausted` when the reader was too slow.
   */
  watch(revision: number, signal: AbortSignal): AsyncIterable<Change<T>>
}

export interface EndpointRecords extends Records<NetworkServiceEndpoint> {
  /** Removes what expired at or before `nowMs` and returns when the next record expires. */
  removeExpired(nowMs: number): Promise<number | undefined>
  /** Lets what expires before `untilMs` live until then. */
  extend(untilMs: number): Promise<void>
}

export interface RegistryStore {
  readonly services: Records<NetworkService>
  readonly endpoints: EndpointRecords
}
