import type { Database } from './database.ts'

/** A table `(id TEXT PRIMARY KEY, record TEXT NOT NULL)` whose records are JSON. */
export interface JsonTable {
  all(): string[]
  put(id: string, record: string): void
  delete(id: string): void
}

/** @param name of the table, as its migration made it: never from outside. */
export function jsonTable(database: Database, name: string): JsonTable {
  const all = database.query(`SELECT record FROM ${name}`, (row) => row.text('record'))
  const put = database.command(
    `INSERT INTO ${name} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
  )
  const remove = database.command(`DELETE FROM ${name} WHERE id = ?`)
  return {
    all: () => all.all(),
    put: (id, record) => void put.run(id, record),
    delete: (id) => void remove.run(id),
  }
}
