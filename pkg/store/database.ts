/**
 * A SQLite file that one process owns: write-ahead log, every commit written before it returns and, where it must outlive
 * the machine, synced to disk; mode 0600 because the state holds private keys. SQLite's exclusive locking mode keeps a
 * second process out. The kernel releases the lock when the process ends, so a crash leaves nothing to clean up.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { describeError, errorCode, Listeners, NsmError } from '../base/index.ts'
import { Columns } from './columns.ts'
import { applicationId, migrate } from './migrate.ts'
import { withSqliteErrors } from './sqlite-error.ts'

export type Value = string | number | bigint | null | Uint8Array

export interface DatabaseOptions {
  /** The program whose state this is, such as `nsmd`: the file of another program is refused. */
  readonly application: string
  /** SQL that migrates each schema version to the next. Only append: a released migration is never edited. */
  readonly migrations: readonly string[]
  /**
   * What a commit survives: a power cut, because it is synced to disk, or only a crash of this process, because it is with
   * the kernel. Then a power cut takes the last commits with it, and the file is as it was before them. By default: a
   * power cut.
   */
  readonly survives?: 'power cut' | 'crash'
}

export interface Query<Row> {
  all(...values: Value[]): Row[]
  get(...values: Value[]): Row | undefined
}

export interface Command {
  /** Returns the number of rows that changed. */
  run(...values: Value[]): number
}

/** Synchronous. Throws {@link NsmError}: `resource_exhausted` when the disk is full, `unavailable` when it fails. */
export interface Database {
  query<Row>(sql: string, read: (columns: Columns) => Row): Query<Row>
  command(sql: string): Command
  /** Why the last write failed; empty where it did not. */
  readonly problem: string
  /** Calls back when there is a problem, and when it is over. */
  onProblem(listener: () => void): () => void
  /** Runs `body` atomically: when it throws, nothing is changed. A nested transaction is part of the outer one. */
  transaction<T>(body: () => T): T
  close(): void
}

/** How long a starting process waits for the lock of the one that it replaces. */
const LOCK_WAIT_MS = 2000

/**
 * Opens the file, or creates it with its directory, and migrates it to the newest schema.
 *
 * @param path of the file, or `:memory:`.
 * @throws {NsmError} `failed_precondition` when another process has it open, when a newer version or another program
 *   wrote it, or when it is damaged.
 */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  const sqlite = withSqliteErrors(path, () => {
    if (path !== ':memory:') makePrivate(path)
    return new DatabaseSync(path, { timeout: LOCK_WAIT_MS, enableForeignKeyConstraints: true })
  })
  try {
    withSqliteErrors(path, () => {
      lock(sqlite, options)
      check(sqlite, path)
      migrate(sqlite, { path, id: applicationId(options.application), ...options })
    })
  } catch (error) {
    sqlite.close()
    throw error
  }
  return new SqliteDatabase(sqlite, path)
}

/** The write-ahead log gets the mode of the file itself, so the file must be private before SQLite opens it. */
function makePrivate(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Only for a new file: closing any descriptor of a file releases the POSIX locks that this process has on it.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
  } catch (cause) {
    throw new NsmError('unavailable', 'Cannot open the state file', {
      cause,
      fields: { path },
      next: 'check that its directory is writable',
    })
  }
}

/** The first write takes the exclusive lock, before anything that is read from the file is relied on. */
function lock(sqlite: DatabaseSync, { survives = 'power cut' }: DatabaseOptions): void {
  const synchronous = survives === 'power cut' ? 'FULL' : 'NORMAL'
  sqlite.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`)
  sqlite.exec('BEGIN IMMEDIATE; COMMIT')
}

function check(sqlite: DatabaseSync, path: string): void {
  const found = sqlite.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (found === 'ok') return
  throw new NsmError('failed_precondition', 'Cannot use the state file: it is damaged', {
    fields: { path, found: String(found) },
    next: 'restore a backup, or move the file away to start with empty state',
  })
}

class SqliteDatabase implements Database {
  readonly #sqlite: DatabaseSync
  readonly #path: string
  readonly #listeners = new Listeners<[]>()
  #problem = ''

  constructor(sqlite: DatabaseSync, path: string) {
    this.#sqlite = sqlite
    this.#path = path
  }

  query<Row>(sql: string, read: (columns: Columns) => Row): Query<Row> {
    const statement = this.#prepare(sql)
    return {
      all: (...values) => this.#guard(() => statement.all(...values)).map((row) => read(new Columns(row))),
      get: (...values) => {
        const row = this.#guard(() => statement.get(...values))
        return row === undefined ? undefined : read(new Columns(row))
      },
    }
  }

  command(sql: string): Command {
    const statement = this.#prepare(sql)
    return { run: (...values) => Number(this.#write(() => statement.run(...values)).changes) }
  }

  get problem(): string {
    return this.#problem
  }

  onProblem(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  transaction<T>(body: () => T): T {
    if (this.#sqlite.isTransaction) return body()
    this.#guard(() => this.#sqlite.exec('BEGIN IMMEDIATE'))
    try {
      const result = body()
      this.#write(() => this.#sqlite.exec('COMMIT'))
      return result
    } catch (error) {
      // When the disk is full, SQLite has already rolled back.
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close()
  }

  #prepare(sql: string): StatementSync {
    return this.#guard(() => this.#sqlite.prepare(sql))
  }

  #write<T>(action: () => T): T {
    try {
      const result = this.#guard(action)
      this.#note('')
      return result
    } catch (error) {
      if (['resource_exhausted', 'unavailable'].includes(errorCode(error))) this.#note(describeError(error))
      throw error
    }
  }

  #note(problem: string): void {
    if (this.#problem === problem) return
    this.#problem = problem
    this.#listeners.tell()
  }

  #guard<T>(action: () => T): T {
    return withSqliteErrors(this.#path, action)
  }
}
