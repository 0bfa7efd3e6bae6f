/** SQLite's result codes as errors of nsmesh. */
import { type ErrorCode, NsmError } from '../base/index.ts'
import { lockHolder } from './lock.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly message: string
  readonly next?: string
}

const SHARE = 'stop that process first, or give this one its own state directory'
const RESTORE = 'restore a backup, or move the file away to start with empty state'

/** By primary result code, the low byte of the extended one. @see https://sqlite.org/rescode.html */
const meanings: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [3, { code: 'unavailable', message: 'Cannot use the state file: permission denied', next: 'check its owner' }],
  [5, { code: 'failed_precondition', message: 'Cannot use the state file: another process has it open', next: SHARE }],
  [8, { code: 'unavailable', message: 'Cannot write the state file: it is read-only', next: 'check the file system' }],
  [10, { code: 'unavailable', message: 'Cannot use the state file: the disk fails', next: 'check the kernel log' }],
  [11, { code: 'failed_precondition', message: 'Cannot use the state file: it is damaged', next: RESTORE }],
  [
    13,
    { code: 'resource_exhausted', message: 'Cannot write the state file: the disk is full', next: 'free some space' },
  ],
  [14, { code: 'unavailable', message: 'Cannot open the state file', next: 'check that its directory is writable' }],
  [19, { code: 'already_exists', message: 'Cannot write the record: it conflicts with a stored one' }],
  [26, { code: 'failed_precondition', message: 'Cannot use the state file: it is not a database', next: RESTORE }],
])

const SQLITE_BUSY = 5

/** The primary result code of an error of `node:sqlite`; undefined for every other error. */
function sqliteResult(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

/** Runs `action` and turns what SQLite throws into an error that says what to do. */
export function withSqliteErrors<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw translate(cause, path)
  }
}

function translate(cause: unknown, path: string): unknown {
  const result = sqliteResult(cause)
  if (result === undefined) return cause
  const { code, message, next } = meanings.get(result) ?? { code: 'internal', message: 'Cannot use the state file' }
  return new NsmError(code, message, {
    cause,
    fields: { path, pid: result === SQLITE_BUSY ? lockHolder(path) : undefined },
    ...(next === undefined ? {} : { next }),
  })
}
