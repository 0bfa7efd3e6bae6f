import { federationRecords, federationTables } from '../../federation/index.ts'
import { registrySchema, registrySizes } from '../../registry/index.ts'

/** The state file of nsm-registry, version by version. Only ever append. */
export const migrations = [registrySchema + federationTables, federationRecords, registrySizes]
