/** Connections on disk. The records hold private keys of wires. */
import { type Database, jsonTable } from '../store/index.ts'
import type { ConnectionRecord, RecordStore } from './connection-table.ts'

export const connectionsSchema = 'CREATE TABLE connections (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT'

/** Records of 0.2 and earlier say only in the key of their caller in which namespace it was. */
export const ownerNamespaces = `UPDATE connections
  SET record = json_set(record, '$.ownerNamespace', json_extract(json_extract(record, '$.callerKey'), '$[1]'))
  WHERE json_valid(json_extract(record, '$.callerKey')) AND json_extract(json_extract(record, '$.callerKey'), '$[1]') <> ''`

/** @param database with {@link connectionsSchema} */
export function connectionRecords(database: Database): RecordStore {
  const table = jsonTable(database, 'connections')
  // Written below and by nobody else: the lock and the migrations of the database see to that.
  const read = (text: string): ConnectionRecord => JSON.parse(text)
  return {
    load: () => table.all().map(read),
    put: (record) => table.put(record.id, JSON.stringify(record)),
    delete: table.delete,
  }
}
