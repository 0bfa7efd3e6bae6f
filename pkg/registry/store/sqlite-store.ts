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
  const usage = storedUsage(database)
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

/** One process owns the file, so the count can be in memory. */
function storedUsage(database: Database): Usage {
  const usage = new Usage(MIN_RECORD_BYTES)
  const stored = database.query(
    'SELECT kind, name, owner, octet_length(value) AS bytes FROM registry_record WHERE is_deleted = 0',
    (row) => ({
      kind: row.text('kind'),
      name: row.text('name'),
      share: { owner: row.text('owner'), bytes: row.integer('bytes') },
    }),
  )
  for (const { kind, name, share } of stored.all()) usage.change(kind, name, share)
  return usage
}
