import type { NetworkService } from '../../api/index.ts'
import type { Database } from '../../store/index.ts'
import { matchesEndpoint, matchesService } from '../rules/matches.ts'
import { History } from './history.ts'
import { endpointCodec, serviceCodec } from './record-codec.ts'
import type { RegistryStore } from './registry-store.ts'
import { SqliteEndpoints } from './sqlite-endpoints.ts'
import { SqliteRecords } from './sqlite-records.ts'

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
