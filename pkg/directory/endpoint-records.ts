/** The endpoints of this node on disk. */
import type { Labels, NetworkServiceEndpoint } from '../api/index.ts'
import { type Database, jsonTable } from '../store/index.ts'
import type { EndpointStore, RegisteredEndpoint } from './registered-endpoints.ts'

export const endpointsSchema = 'CREATE TABLE endpoints (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT'

/** JSON has no maps. */
type KeptEndpoint = Omit<RegisteredEndpoint, 'endpoint'> & {
  readonly endpoint: Omit<NetworkServiceEndpoint, 'networkServiceLabels'>
  readonly labels: readonly (readonly [string, Labels])[]
}

/** @param database with {@link endpointsSchema} */
export function endpointRecords(database: Database): EndpointStore {
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
