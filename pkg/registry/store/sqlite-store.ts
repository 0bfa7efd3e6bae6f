import type { NetworkService } from '../../api/index.ts'
import type { Database } from '../../store/index.ts'
import { MIN_RECORD_BYTES } from '../rules/limits.ts'
import { matchesEndpoint, matchesService } from '../rules/matches.ts'
import { History, type HistoryLimits } from './history.ts'
import { endpointCodec, serviceCodec } from './record-codec.ts'
import type { RegistryStore } from './registry-store.ts'
import { SqliteEndpoints } from './sqlite-endpoints.ts'
import { SqliteRecords } from './sqlite-records.ts'
import { Usage } from './usage.ts'

/** The registry's records in a database whose schema includes {@link registrySchema}. */
export function sqliteStore(database: Database, limits: HistoryLimits = {}): RegistryStore {
  const history = new History(database, limits)
  const usage = new Usage(database, MIN_RECORD_BYTES)
  return {
    bytesOf: async (node) => usage.of(node),
    services: new SqliteRecords<NetworkService>({
      kind: 'service',
      database,
      history,
      usage,
      codec: serviceCodec,
      matches: matchesService,
    }),
    endpoints: new SqliteEndpoints({
      kind: 'endpoint',
      database,
      history,
      usage,
      codec: endpointCodec,
      matches: matchesEndpoint,
    }),
  }
}
