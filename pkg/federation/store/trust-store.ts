/**
 * Where a registry keeps whom its domain trusts. SQLite is one place; every other implementation passes the same suite,
 * testing/trust-store-conformance.ts. Several replicas of a registry may share one store.
 *
 * A transaction is a compare-and-swap of one record, because that is the largest transaction that every store has: an
 * object of Kubernetes. What needs more is done step by step, in an order in which it is safe to stop after each step:
 *
 *     operation                 first                           then                           a crash in between
 *     a domain or a node joins  its invitation is marked used   its record is written          loses the token, trusts nobody
 *     a node is revoked         its record is marked revoked    its registrations are removed  repeat the command
 *     a domain is revoked       its record is removed           the domain is told             it notices by itself
 *
 * Every change has a revision, greater than all before it, over all kinds of records. A watch from a revision yields
 * every change after it, in order, so that "list, then watch from there" misses nothing, and every replica goes through
 * the same states. A store that keeps a history for each kind must merge them.
 */
import type { RecordKind, RecordOf, TrustRecord } from './trust-record.ts'

export interface Stored<R extends TrustRecord = TrustRecord> {
  readonly record: R
  /** Of the newest change of this record. Greater than 0. */
  readonly revision: number
}

export interface TrustSnapshot {
  readonly revision: number
  readonly records: readonly Stored[]
}

export interface TrustChange extends RecordKey {
  readonly revision: number
  /** Undefined when the record was removed. */
  readonly record: TrustRecord | undefined
}

export interface RecordKey {
  readonly kind: RecordKind
  readonly name: string
}

/**
 * All methods throw {@link NsmError}: `unavailable` when the store does not answer, `resource_exhausted` when it is
 * full. A write that fails so may have been made all the same.
 */
export interface TrustStore {
  /** All records, after every write that was answered, by whichever replica. */
  list(): Promise<TrustSnapshot>
  /** One record, likewise. */
  get<K extends RecordKind>(kind: K, name: string): Promise<Stored<RecordOf<K>> | undefined>
  /**
   * Writes the record if the stored one is still at the `expected` revision; 0 means that there must be none. Durable
   * when it resolves.
   * @returns the revision of the change, or undefined when the stored record is at another revision.
   */
  put(record: TrustRecord, expected: number): Promise<number | undefined>
  /**
   * Removes the record under the same condition. Where a removal has no revision of its own, the store marks the record
   * as removed first.
   */
  remove(key: RecordKey, expected: number): Promise<number | undefined>
  /**
   * Yields the changes after `revision`, then new ones until `signal` aborts.
   * @throws {NsmError} `failed_precondition` when the history does not reach back that far, `resource_exhausted` when
   *   the reader was too slow: both mean that it must list again.
   */
  watch(revision: number, signal: AbortSignal): AsyncIterable<TrustChange>
}
