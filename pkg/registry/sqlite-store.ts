import type { NetworkService } from '../api/index.ts'
import type { Database } from '../store/index.ts'
import { History } from './history.ts'
import { matchesEndpoint, matchesService } from './matches.ts'
import { endpointCodec, serviceCodec } from './record-codec.ts'
import { SqliteEndpoints } from './sqlite-endpoints.ts'
import { SqliteRecords } from './sqlite-records.ts'
import type { RegistryStore } from './store.ts'

/** The registry's records in a database whose schema includes {@link registrySchema}. */
export function sqliteStore(database: Database): RegistryStore {
  const history = new History(database)
  return {
    services: new SqliteRecords<NetworkService>({
      kind: 'service',
      database,
      history,
      codec: serviceCodec,
      matches: matchesService,
    }),
    endpoints: new SqliteEndpoints({
      kind: 'endpoint',
      database,
      history,
      codec: endpointCodec,
      matches: matchesEndpoint,
    }),
  }
}
