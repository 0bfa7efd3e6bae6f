import { NsmError } from '../../base/index.ts'
import { cannotResume, type Database } from '../../store/index.ts'

const MAX_TOMBSTONES = 10_000
const MAX_TOMBSTONE_BYTES = 8 * 2 ** 20

export interface HistoryLimits {
  readonly tombstones?: number
  readonly bytes?: number
}

/** The revisions of all records, and how far back a watch can resume. Call within a transaction. */
export class History {
  readonly #advance
  readonly #state
  readonly #limits: Required<HistoryLimits>
  readonly #oldestKept
  readonly #oldestWithin
  readonly #tombstoneBytes
  readonly #forget
  readonly #raiseFloor

  /** Never less than all tombstones have; more where some came back to life. */
  #bytes: number

  constructor(database: Database, limits: HistoryLimits = {}) {
    this.#limits = { tombstones: MAX_TOMBSTONES, bytes: MAX_TOMBSTONE_BYTES, ...limits }
    this.#advance = database.command('UPDATE registry_history SET revision = revision + 1')
    this.#state = database.query('SELECT revision, floor FROM registry_history', (row) => ({
      revision: row.integer('revision'),
      floor: row.integer('floor'),
    }))
    this.#oldestKept = database.query(
      'SELECT revision FROM registry_record WHERE is_deleted = 1 ORDER BY revision DESC LIMIT 1 OFFSET ?',
      (row) => row.integer('revision'),
    )
    this.#oldestWithin = database.query(
      `SELECT max(revision) AS revision FROM (
         SELECT revision, sum(octet_length(value)) OVER (ORDER BY revision DESC) AS bytes
         FROM registry_record WHERE is_deleted = 1)
       WHERE bytes > ?`,
      (row) => row.optionalInteger('revision'),
    )
    this.#tombstoneBytes = database.query(
      'SELECT coalesce(sum(octet_length(value)), 0) AS bytes FROM registry_record WHERE is_deleted = 1',
      (row) => row.integer('bytes'),
    )
    this.#bytes = this.#tombstoneBytes.get() ?? 0
    this.#forget = database.command('DELETE FROM registry_record WHERE is_deleted = 1 AND revision <= ?')
    this.#raiseFloor = database.command('UPDATE registry_history SET floor = ?')
  }

  get revision(): number {
    return this.#read().revision
  }

  /** Assigns a revision to the change that is being made. */
  next(): number {
    this.#advance.run()
    return this.revision
  }

  /** Drops the oldest tombstones when there are too many, or too large ones. @param bytes of one that was just added */
  trim(bytes: number): void {
    this.#bytes += bytes
    this.#dropUntil(this.#oldestKept.get(this.#limits.tombstones))
    if (this.#bytes <= this.#limits.bytes) return
    // To half of it, so that not every removal has to count.
    this.#dropUntil(this.#oldestWithin.get(this.#limits.bytes / 2))
    this.#bytes = this.#tombstoneBytes.get() ?? 0
  }

  #dropUntil(floor: number | undefined): void {
    if (floor === undefined) return
    this.#forget.run(floor)
    this.#raiseFloor.run(floor)
  }

  /** @throws {NsmError} `failed_precondition` when not everything after `revision` is known any more. */
  check(revision: number): void {
    const { floor } = this.#read()
    if (revision >= floor) return
    throw cannotResume(revision, floor)
  }

  #read(): { readonly revision: number; readonly floor: number } {
    const state = this.#state.get()
    if (state === undefined) throw new NsmError('internal', 'Cannot read the revision: its row is missing')
    return state
  }
}
