import { NsmError } from '../../base/index.ts'
import { cannotResume, type Database } from '../../store/index.ts'

const MAX_TOMBSTONES = 10_000

/** The revisions of all records, and how far back a watch can resume. Call within a transaction. */
export class History {
  readonly #advance
  readonly #state
  readonly #oldestKept
  readonly #forget
  readonly #raiseFloor

  constructor(database: Database) {
    this.#advance = database.command('UPDATE registry_history SET revision = revision + 1')
    this.#state = database.query('SELECT revision, floor FROM registry_history', (row) => ({
      revision: row.integer('revision'),
      floor: row.integer('floor'),
    }))
    this.#oldestKept = database.query(
      'SELECT revision FROM registry_record WHERE is_deleted = 1 ORDER BY revision DESC LIMIT 1 OFFSET ?',
      (row) => row.integer('revision'),
    )
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

  /** Drops the oldest tombstones when there are too many. */
  trim(most = MAX_TOMBSTONES): void {
    const floor = this.#oldestKept.get(most)
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
