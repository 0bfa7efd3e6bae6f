import { NsmError } from '../../base/index.ts'
import { ChangeLog, type Columns, type Command, type Database, type Query } from '../../store/index.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'
import { isOfKind, type RecordKind, type RecordOf, type TrustRecord } from './trust-record.ts'
import type { RecordKey, Stored, TrustChange, TrustSnapshot, TrustStore } from './trust-store.ts'

/** The trust store in a database whose schema includes {@link federationRecords}. */
export function sqliteTrustStore(database: Database): TrustStore {
  return new SqliteTrustStore(database)
}

/**
 * One process owns the file, so the history for watchers need not outlive it: it is in memory. Watchers are notified
 * after the commit, in the same turn of the event loop.
 */
class SqliteTrustStore implements TrustStore {
  readonly #database: Database
  readonly #log: ChangeLog<TrustChange>
  readonly #revision: Query<number>
  readonly #advance: Command
  readonly #all: Query<Stored>
  readonly #one: Query<Stored>
  readonly #insert: Command
  readonly #update: Command
  readonly #delete: Command

  constructor(database: Database) {
    this.#database = database
    this.#revision = database.query('SELECT revision FROM federation_revision', (row) => row.integer('revision'))
    this.#advance = database.command('UPDATE federation_revision SET revision = ?')
    this.#all = database.query('SELECT * FROM federation_record ORDER BY kind, name', readRow)
    this.#one = database.query('SELECT * FROM federation_record WHERE kind = ? AND name = ?', readRow)
    this.#insert = database.command(
      'INSERT INTO federation_record (kind, name, revision, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#update = database.command(
      'UPDATE federation_record SET revision = ?, value = ? WHERE kind = ? AND name = ? AND revision = ?',
    )
    this.#delete = database.command('DELETE FROM federation_record WHERE kind = ? AND name = ? AND revision = ?')
    this.#log = new ChangeLog(this.#currentRevision())
  }

  async list(): Promise<TrustSnapshot> {
    return { revision: this.#currentRevision(), records: this.#all.all() }
  }

  async get<K extends RecordKind>(kind: K, name: string): Promise<Stored<RecordOf<K>> | undefined> {
    const stored = this.#one.get(kind, name)
    return stored !== undefined && isOfKind(kind, stored.record) ? { ...stored, record: stored.record } : undefined
  }

  async put(record: TrustRecord, expected: number): Promise<number | undefined> {
    const { kind, name } = record
    const value = encodeRecord(record)
    return this.#change({ kind, name, record }, (revision) =>
      expected === 0
        ? this.#insert.run(kind, name, revision, value)
        : this.#update.run(revision, value, kind, name, expected),
    )
  }

  async remove({ kind, name }: RecordKey, expected: number): Promise<number | undefined> {
    return this.#change({ kind, name, record: undefined }, () => this.#delete.run(kind, name, expected))
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<TrustChange> {
    return this.#log.watch(revision, signal)
  }

  /** @param write returns the number of rows that it changed: none when the expected revision is not there. */
  #change(change: Omit<TrustChange, 'revision'>, write: (revision: number) => number): number | undefined {
    const revision = this.#database.transaction(() => {
      const next = this.#currentRevision() + 1
      if (write(next) === 0) return undefined
      this.#advance.run(next)
      return next
    })
    if (revision !== undefined) this.#log.push({ ...change, revision })
    return revision
  }

  #currentRevision(): number {
    const revision = this.#revision.get()
    if (revision === undefined) throw new NsmError('internal', 'Cannot read the revision: its row is missing')
    return revision
  }
}

function readRow(row: Columns): Stored {
  return {
    record: decodeRecord(row.text('kind'), row.text('name'), row.text('value')),
    revision: row.integer('revision'),
  }
}
