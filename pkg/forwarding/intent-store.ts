/** Intents on disk. INVARIANT: what `put` and `delete` returned from survives a crash of this process. */
import type { Role, WireIntent } from '../mechanism/index.ts'
import type { Command, Database, Query } from '../store/index.ts'
import type { WireTables } from './plan-wire.ts'

/** An intent with what was allocated for it. It holds the wire's private key: the file is readable by its owner only. */
export interface WireRecord {
  readonly intent: WireIntent
  readonly tables: WireTables
}

/** For `openDatabase`, with application `nsmd wires`. */
export const intentMigrations: readonly string[] = [
  `CREATE TABLE intents (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     record TEXT NOT NULL
   ) STRICT`,
  // Ends have the names of their mechanisms and a role, and path messages are called probe messages.
  `UPDATE intents SET record =
     json_set(record, '$.intent.client', json(${renamed('client')}), '$.intent.server', json(${renamed('server')}))`,
]

function renamed(role: Role): string {
  const end = `json_extract(record, '$.intent.${role}')`
  const probes = `json(coalesce(record -> '$.intent.${role}.pathMessages', 'false'))`
  return `CASE json_extract(${end}, '$.kind')
    WHEN 'local' THEN json_set(${end}, '$.role', '${role}', '$.kind', 'kernel')
    WHEN 'wireguard' THEN
      json_remove(json_set(${end}, '$.role', '${role}', '$.probeMessages', ${probes}), '$.pathMessages')
    ELSE json_set(${end}, '$.role', '${role}')
  END`
}

export class IntentStore {
  readonly #all: Query<WireRecord>
  readonly #put: Command
  readonly #delete: Command

  constructor(database: Database) {
    // Written by `put` below and by nobody else: the lock and the migrations of the database see to that.
    const read = (text: string): WireRecord => JSON.parse(text)
    this.#all = database.query('SELECT record FROM intents ORDER BY sequence', (row) => read(row.text('record')))
    this.#put = database.command(
      'INSERT INTO intents (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
    )
    this.#delete = database.command('DELETE FROM intents WHERE id = ?')
  }

  all(): readonly WireRecord[] {
    return this.#all.all()
  }

  put(record: WireRecord): void {
    this.#put.run(record.intent.id, JSON.stringify(record))
  }

  delete(id: string): void {
    this.#delete.run(id)
  }
}
