/** Migrates a database file to the schema of this version, one transaction per migration. */
import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { NsmError } from '../base/index.ts'

export interface Schema {
  readonly path: string
  readonly application: string
  readonly id: number
  readonly migrations: readonly string[]
}

/** SQLite's application_id: a signed 32-bit integer in the header of the file. */
export function applicationId(name: string): number {
  return crc32(name) | 0
}

/** `user_version` is the number of migrations that have been applied. */
export function migrate(sqlite: DatabaseSync, schema: Schema): void {
  const version = pragma(sqlite, 'user_version')
  const owner = pragma(sqlite, 'application_id')
  refuseForeign(owner, version, schema)
  refuseNewer(version, schema)
  for (const [index, sql] of schema.migrations.entries()) {
    if (index >= version) step(sqlite, schema.id, { sql, to: index + 1 })
  }
}

function step(sqlite: DatabaseSync, id: number, { sql, to }: { sql: string; to: number }): void {
  sqlite.exec('BEGIN IMMEDIATE')
  try {
    sqlite.exec(sql)
    sqlite.exec(`PRAGMA application_id = ${id}; PRAGMA user_version = ${to}; COMMIT`)
  } catch (error) {
    if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
    throw error
  }
}

function refuseForeign(owner: number, version: number, { id, path, application }: Schema): void {
  const isEmpty = owner === 0 && version === 0
  if (owner === id || isEmpty) return
  throw new NsmError('failed_precondition', 'Cannot use the state file: another program wrote it', {
    fields: { path, wanted: application },
    next: 'give this program its own state directory',
  })
}

function refuseNewer(version: number, { path, migrations }: Schema): void {
  if (version <= migrations.length) return
  throw new NsmError('failed_precondition', 'Cannot use the state file: it was written by a newer version', {
    fields: { path, schema: version, known: migrations.length },
    next: 'start that version, or restore a backup',
  })
}

function pragma(sqlite: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(sqlite.prepare(`PRAGMA ${name}`).get()?.[name])
}
