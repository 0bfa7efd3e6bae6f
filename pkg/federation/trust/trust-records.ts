import { type Clock, errorCode, follow, Listeners, type Logger, NsmError, Scope, within } from '../../base/index.ts'
import { isOfKind, type RecordKind, type RecordOf, type TrustRecord } from '../store/trust-record.ts'
import type { RecordKey, Stored, TrustChange, TrustSnapshot, TrustStore } from '../store/trust-store.ts'

const RETRY = { firstMs: 100, maxMs: 5_000 }
/** How long the watch may take to deliver a change that is durable. */
const SEEN_MS = 5_000
/** A try fails only because another writer has succeeded. */
const MAX_TRIES = 1_000

export interface TrustRecordsOptions {
  readonly store: TrustStore
  readonly clock: Clock
  readonly logger: Logger
}

/** A record before and after a change; undefined where there is none. */
export interface RecordChange {
  readonly before: TrustRecord | undefined
  readonly after: TrustRecord | undefined
}

interface Waiter {
  readonly revision: number
  resolve(): void
}

/**
 * The records of a trust store: a copy in memory that follows the store, for decisions that cannot wait, and changes by
 * compare-and-swap. A change resolves when it is durable and the copy has it.
 *
 * INVARIANT: the copy is always the state of the store at one revision. Every replica passes through the same states.
 */
export class TrustRecords {
  readonly #options: TrustRecordsOptions
  readonly #scope = new Scope()
  readonly #copy = new Map<string, Stored>()
  readonly #listeners = new Listeners<[changes: readonly RecordChange[]]>()
  readonly #waiters = new Set<Waiter>()
  #revision = 0
  #mustList = false

  private constructor(options: TrustRecordsOptions) {
    this.#options = options
  }

  /** Resolves when the copy is complete. */
  static async open(options: TrustRecordsOptions): Promise<TrustRecords> {
    const records = new TrustRecords(options)
    records.#replace(await options.store.list())
    const following = records.#follow()
    records.#scope.defer(() => following)
    return records
  }

  /** The revision of the copy. */
  get revision(): number {
    return this.#revision
  }

  get<K extends RecordKind>(kind: K, name: string): RecordOf<K> | undefined {
    const record = this.#copy.get(keyOf({ kind, name }))?.record
    return record !== undefined && isOfKind(kind, record) ? record : undefined
  }

  /** Ordered by name. */
  all<K extends RecordKind>(kind: K): readonly RecordOf<K>[] {
    const records = [...this.#copy.values()].map(({ record }) => record).filter((record) => isOfKind(kind, record))
    return records.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The record in the store, which may be newer than the copy. */
  async read<K extends RecordKind>(kind: K, name: string): Promise<RecordOf<K> | undefined> {
    return (await this.#options.store.get(kind, name))?.record
  }

  /** Calls back after each change of the copy. Returns the function that unsubscribes. */
  subscribe(listener: (changes: readonly RecordChange[]) => void): () => void {
    return this.#listeners.add(listener)
  }

  /**
   * Changes one record in one step, whoever else changes it at the same time.
   * @param decide returns the new record for the stored one; undefined means no record, and the same record no change. It
   *   may run several times. When it throws, nothing is changed.
   * @throws {NsmError} `unavailable` also when the change is durable, but the copy does not have it in time.
   */
  async change<K extends RecordKind>(
    kind: K,
    name: string,
    decide: (stored: RecordOf<K> | undefined) => RecordOf<K> | undefined,
  ): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const stored = await this.#options.store.get(kind, name)
      const decided = decide(stored?.record)
      const expected = stored?.revision ?? 0
      const revision = decided === stored?.record ? expected : await this.#swap({ kind, name }, decided, expected)
      if (revision !== undefined) return this.#seen(revision)
    }
    throw new NsmError('unavailable', 'Cannot change the trust store: the record keeps changing', {
      fields: { kind, name },
    })
  }

  async close(): Promise<void> {
    await this.#scope.close()
  }

  #swap(key: RecordKey, record: TrustRecord | undefined, expected: number): Promise<number | undefined> {
    const { store } = this.#options
    return record === undefined ? store.remove(key, expected) : store.put(record, expected)
  }

  /** Resolves when the copy has the change of that revision. */
  async #seen(revision: number): Promise<void> {
    if (this.#revision >= revision) return
    const waiter = { revision, resolve: () => {} }
    this.#waiters.add(waiter)
    try {
      await within({ clock: this.#options.clock, ms: SEEN_MS, signal: this.#scope.signal }, (signal) => {
        return new Promise<void>((resolve, reject) => {
          waiter.resolve = resolve
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      })
    } catch (cause) {
      throw new NsmError('unavailable', 'Cannot confirm the change: it is stored, but has not arrived here yet', {
        cause,
        fields: { revision, seen: this.#revision },
        next: 'check the result, and repeat the command where it has none',
      })
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  async #follow(): Promise<void> {
    const { store, clock, logger } = this.#options
    const { signal } = this.#scope
    const onFailure = (error: unknown) => {
      if (['failed_precondition', 'resource_exhausted'].includes(errorCode(error))) this.#mustList = true
    }
    const log = { logger, message: 'Lost the watch on the trust store: trusting as before' }
    await follow({ clock, retry: RETRY, signal, log, onFailure }, async (works) => {
      if (this.#mustList) this.#replace(await store.list())
      this.#mustList = false
      for await (const change of store.watch(this.#revision, signal)) {
        works()
        this.#advance(change.revision, [this.#apply(change)])
      }
    })
  }

  #replace({ revision, records }: TrustSnapshot): void {
    const keys = new Set(records.map(({ record }) => keyOf(record)))
    const gone = [...this.#copy.values()].filter(({ record }) => !keys.has(keyOf(record)))
    const changed = records.filter((stored) => this.#copy.get(keyOf(stored.record))?.revision !== stored.revision)
    this.#advance(revision, [
      ...gone.map(({ record: { kind, name } }) => this.#apply({ kind, name, revision, record: undefined })),
      ...changed.map(({ record, revision }) => this.#apply({ kind: record.kind, name: record.name, record, revision })),
    ])
  }

  #apply(change: TrustChange): RecordChange {
    const { revision, record } = change
    const key = keyOf(change)
    const before = this.#copy.get(key)?.record
    if (record === undefined) this.#copy.delete(key)
    else this.#copy.set(key, { record, revision })
    return { before, after: record }
  }

  #advance(revision: number, changes: readonly RecordChange[]): void {
    this.#revision = revision
    this.#listeners.tell(changes)
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.resolve()
  }
}

function keyOf({ kind, name }: RecordKey): string {
  return `${kind}/${name}`
}
