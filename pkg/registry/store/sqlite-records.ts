import type { Columns, Database, Query } from '../../store/index.ts'
import { WatchQueue } from '../../store/index.ts'
import { noPrivileges } from '../rules/ownership.ts'
import type { History } from './history.ts'
import type { RecordCodec } from './record-codec.ts'
import {
  type Change,
  type NameRange,
  PAGE_RECORDS,
  type Page,
  type Records,
  type RegistryRecord,
  type Snapshot,
} from './registry-store.ts'
import type { Usage } from './usage.ts'

export interface SqliteRecordsOptions<T> {
  readonly kind: 'service' | 'endpoint'
  readonly database: Database
  readonly history: History
  readonly usage: Usage
  readonly codec: RecordCodec<T>
  matches(query: Partial<T>, value: T): boolean
}

/** For SQLite, -1 is no limit. */
const EVERYTHING: NameRange = { after: '', most: -1 }

/**
 * One kind of record. A write is one transaction: revision, record, owner. Watchers are notified after the commit, in
 * the same turn of the event loop, so that they see only durable changes, in order.
 */
export class SqliteRecords<T extends RegistryRecord> implements Records<T> {
  protected readonly options: SqliteRecordsOptions<T>
  readonly #watchers = new Set<WatchQueue<Change<T>>>()
  readonly #byName: Query<T>
  readonly #all: Query<T>
  readonly #since: Query<Change<T>>
  readonly #owned: Query<number>
  readonly #put
  readonly #bury

  constructor(options: SqliteRecordsOptions<T>) {
    this.options = options
    const { database } = options
    const live = 'FROM registry_record WHERE kind = ? AND is_deleted = 0'
    this.#byName = database.query(`SELECT value ${live} AND name = ?`, this.read)
    this.#all = database.query(`SELECT value ${live} AND name > ? ORDER BY name LIMIT ?`, this.read)
    this.#owned = database.query(`SELECT count(*) AS count ${live} AND owner = ?`, (row) => row.integer('count'))
    this.#since = database.query(
      'SELECT revision, is_deleted, value FROM registry_record WHERE kind = ? AND revision > ? ORDER BY revision',
      (row) => ({ revision: row.integer('revision'), value: this.read(row), deleted: row.integer('is_deleted') === 1 }),
    )
    this.#put = database.command(`
      INSERT INTO registry_record (kind, name, owner, revision, expires_ms, value, is_deleted)
      VALUES (?, ?, ?, ?, ?, ?, 0)
      ON CONFLICT (kind, name) DO UPDATE SET owner = excluded.owner, revision = excluded.revision,
        expires_ms = excluded.expires_ms, value = excluded.value, is_deleted = 0
      WHERE is_deleted = 1 OR owner = excluded.owner`)
    this.#bury = database.command(
      'UPDATE registry_record SET is_deleted = 1, revision = ? WHERE kind = ? AND name = ? AND is_deleted = 0',
    )
  }

  async get(name: string): Promise<T | undefined> {
    return this.#byName.get(this.options.kind, name)
  }

  async put(value: T): Promise<void> {
    const revision = this.options.database.transaction(() => this.write(value))
    this.notify({ revision, value, deleted: false })
  }

  async remove(name: string): Promise<void> {
    const change = this.options.database.transaction(() => this.bury(name))
    if (change !== undefined) this.notify(change)
  }

  async list(query: Partial<T>): Promise<Snapshot<T>> {
    const { matches, history } = this.options
    const values = this.candidates(query, EVERYTHING).filter((value) => matches(query, value))
    return { revision: history.revision, values }
  }

  async page(query: Partial<T>, after: string): Promise<Page<T>> {
    const found = this.candidates(query, { after, most: PAGE_RECORDS })
    const next = found.length < PAGE_RECORDS ? undefined : found.at(-1)?.name
    return { values: found.filter((value) => this.options.matches(query, value)), next }
  }

  async revision(): Promise<number> {
    return this.options.history.revision
  }

  async countOwned(owner: string): Promise<number> {
    return this.#owned.get(this.options.kind, owner) ?? 0
  }

  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<Change<T>> {
    const queue = new WatchQueue<Change<T>>()
    this.options.history.check(revision)
    const missed = this.#since.all(this.options.kind, revision)
    this.#watchers.add(queue)
    try {
      yield* missed
      yield* queue.read(signal)
    } finally {
      this.#watchers.delete(queue)
    }
  }

  /** Every record of the range that may match, found by the best index. */
  protected candidates({ name }: Partial<T>, { after, most }: NameRange): readonly T[] {
    if (name === undefined || name === '') return this.#all.all(this.options.kind, after, most)
    const value = this.#byName.get(this.options.kind, name)
    return value === undefined ? [] : [value]
  }

  protected readonly read = (row: Columns): T => this.options.codec.decode(row.text('value'))

  protected write(value: T, expiresMs: number | null = null): number {
    const { kind, codec, history } = this.options
    const [owner = ''] = value.pathIds
    const revision = history.next()
    const isWritten = this.#put.run(kind, value.name, owner, revision, expiresMs, codec.encode(value)) === 1
    if (!isWritten) throw noPrivileges('the name has another owner', { name: value.name, caller: owner })
    return revision
  }

  protected bury(name: string): Change<T> | undefined {
    const { kind, codec, history } = this.options
    const value = this.#byName.get(kind, name)
    if (value === undefined) return undefined
    const revision = history.next()
    this.#bury.run(revision, kind, name)
    history.trim(Buffer.byteLength(codec.encode(value)))
    return { revision, value, deleted: true }
  }

  /** After the commit: counts the change, and tells the watchers of it. */
  protected notify(change: Change<T>): void {
    const { kind, codec, usage } = this.options
    const { value, deleted } = change
    const bytes = deleted ? 0 : Buffer.byteLength(codec.encode(value))
    usage.change(kind, value.name, { owner: value.pathIds[0] ?? '', bytes })
    for (const watcher of this.#watchers) watcher.push(change)
  }
}
