import { join } from 'node:path'
import type { Scope } from '../../base/index.ts'
import { connectionsSchema, ownerNamespaces } from '../../connections/index.ts'
import { endpointsSchema } from '../../directory/index.ts'
import { intentMigrations } from '../../forwarding/index.ts'
import { type Database, makePrivateDirectory, openDatabase } from '../../store/index.ts'

export interface NodeState {
  /** Connections and endpoints. */
  readonly connections: Database
  readonly wires: Database
}

/** Version by version. Only ever append. */
const CONNECTION_MIGRATIONS = [connectionsSchema, endpointsSchema, ownerNamespaces]

/**
 * What a power cut takes with it needs no sync: namespaces, interfaces, tunnels and local endpoints are gone as well, and
 * who had a wire asks again.
 *
 * @throws {NsmError} `failed_precondition` when another daemon has this state open.
 */
export function openState(stateDir: string, scope: Scope): NodeState {
  makePrivateDirectory(stateDir)
  const open = (file: string, application: string, migrations: readonly string[]) =>
    scope.own(openDatabase(join(stateDir, file), { application, migrations, survives: 'crash' }))
  return {
    connections: open('connections.db', 'nsmd connections', CONNECTION_MIGRATIONS),
    wires: open('wires.db', 'nsmd wires', intentMigrations),
  }
}
