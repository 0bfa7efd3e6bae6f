/** What a node knows beside its wires, on disk: connections and endpoints. Holds private keys of wires. */
import type { Labels, NetworkServiceEndpoint } from '../api/index.ts'
import type { Database } from '../store/index.ts'
import type { ConnectionRecord, RecordStore } from './connection-table.ts'
import type { EndpointStore, RegisteredEndpoint } from './registered-endpoints.ts'

/** For `openDatabase`, with application `nsmd connections`. */
export const nodeStateMigrations: readonly string[] = [
  'CREATE TABLE connections (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT',
  'CREATE TABLE endpoints (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT',
]

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

/** JSON has no maps. */
type KeptEndpoint = Omit<RegisteredEndpoint, 'endpoint'> & {
  readonly endpoint: Omit<NetworkServiceEndpoint, 'networkServiceLabels'>
  readonly labels: readonly (readonly [string, Labels])[]
}

export function registeredEndpoints(database: Database): EndpointStore {
  const table = jsonTable(database, 'endpoints')
  const read = (text: string): RegisteredEndpoint => {
    const { endpoint, labels, ...rest }: KeptEndpoint = JSON.parse(text)
    const { expiresMs, registeredMs, ...kept } = endpoint
    return { ...rest, endpoint: { ...kept, expiresMs, registeredMs, networkServiceLabels: new Map(labels) } }
  }
  return {
    load: () => table.all().map(read),
    put: ({ endpoint, ...rest }) => {
      const kept: KeptEndpoint = { ...rest, endpoint, labels: [...endpoint.networkServiceLabels] }
      table.put(endpoint.name, JSON.stringify(kept))
    },
    delete: table.delete,
  }
}

function jsonTable(database: Database, table: 'connections' | 'endpoints') {
  const all = database.query(`SELECT record FROM ${table}`, (row) => row.text('record'))
  const put = database.command(
    `INSERT INTO ${table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
  )
  const remove = database.command(`DELETE FROM ${table} WHERE id = ?`)
  return {
    all: () => all.all(),
    put: (id: string, record: string) => void put.run(id, record),
    delete: (id: string) => void remove.run(id),
  }
}
