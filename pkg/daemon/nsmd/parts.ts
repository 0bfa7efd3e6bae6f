/** The pieces from which nsmd.ts puts a node together. */
import { join } from 'node:path'
import { authorityV1 } from '../../api/index.ts'
import type { Clock, Logger, Scope } from '../../base/index.ts'
import { type NsmdConfig, ownNamespace } from '../../config/index.ts'
import { type ConnectionTable, connectionsSchema } from '../../connections/index.ts'
import type { Dataplane } from '../../dataplane/index.ts'
import { endpointsSchema } from '../../directory/index.ts'
import { type Forwarder, intentMigrations, VXLAN_UNDERLAY, WIREGUARD_UNDERLAY } from '../../forwarding/index.ts'
import { isRegistry } from '../../policy/index.ts'
import type { NodeNetworkService, Self } from '../../request/index.ts'
import { type Channels, clientOf, endpointRegistryClient, serviceRegistryClient } from '../../rpc/index.ts'
import { type Database, makePrivateDirectory, openDatabase } from '../../store/index.ts'
import { keyBytes, type WireKey } from '../../tunnel/index.ts'
import { listDevice, serveUapi } from '../../uapi/index.ts'
import type { Machine } from './machine.ts'
import { nodeKey } from './node-key.ts'

export interface NodeState {
  readonly connections: Database
  readonly wires: Database
}

/** @throws {NsmError} `failed_precondition` when another daemon has this state open. */
export function openState({ stateDir }: NsmdConfig, scope: Scope): NodeState {
  makePrivateDirectory(stateDir)
  const open = (file: string, application: string, migrations: readonly string[]) =>
    scope.own(openDatabase(join(stateDir, file), { application, migrations }))
  return {
    connections: open('connections.db', 'nsmd connections', [connectionsSchema, endpointsSchema]),
    wires: open('wires.db', 'nsmd wires', intentMigrations),
  }
}

/** How other nodes know this one. */
export async function selfOf(config: NsmdConfig, { dataplane }: Machine, signal: AbortSignal): Promise<Self> {
  const key = await nodeKey(join(config.stateDir, 'node-key'))
  const { features } = await dataplane.status(signal)
  const isAesFast = features.get('aes_256_gcm_accelerated') === 'on'
  return {
    name: config.name,
    domain: config.domain,
    publicUrl: config.publicUrl ?? config.listenOn,
    hostNamespace: ownNamespace(),
    tunnel: {
      ip: config.tunnelIp,
      port: config.tunnelPort,
      mtuBytes: config.tunnelMtuBytes,
      vxlanPort: config.vxlanPort,
      nodeKey: key,
      aeads: () => config.aeads.filter((aead) => aead !== 'aes256gcm' || isAesFast),
    },
  }
}

interface Underlays {
  readonly config: NsmdConfig
  readonly dataplane: Dataplane
  readonly key: WireKey
  readonly logger: Logger
}

/** Opens the node's UDP sockets, and opens them again when a holder comes back that has forgotten them. */
export async function keepUnderlays(underlays: Underlays, scope: Scope, signal: AbortSignal): Promise<void> {
  const { dataplane, logger } = underlays
  await openUnderlays(underlays, signal)
  const openAgain = () =>
    openUnderlays(underlays, scope.signal).catch((error: unknown) => {
      logger.error('Cannot open the sockets for wires to other nodes', { error })
    })
  scope.defer(dataplane.subscribe(({ at }) => void (at === 'connected' && openAgain())))
}

async function openUnderlays({ config, dataplane, key }: Underlays, signal: AbortSignal): Promise<void> {
  const { tunnelIp: ip, tunnelPort, vxlanPort } = config
  const privateKey = keyBytes(key.privateKey)
  const listen = { ip, port: tunnelPort }
  await dataplane.setUnderlay({ id: WIREGUARD_UNDERLAY, kind: 'wireguard', listen, privateKey }, signal)
  if (vxlanPort === undefined) return
  await dataplane.setUnderlay({ id: VXLAN_UNDERLAY, kind: 'vxlan', listen: { ip, port: vxlanPort } }, signal)
}

export function registryOf(channels: Channels, { registryUrl, domain }: NsmdConfig) {
  const channel = channels.to(registryUrl, { role: 'registry', expect: (spiffeId) => isRegistry(spiffeId, domain) })
  return {
    services: serviceRegistryClient(channel),
    endpoints: endpointRegistryClient(channel),
    authority: clientOf(authorityV1.AuthorityService, channel),
  }
}

interface Running {
  readonly scope: Scope
  readonly clock: Clock
  readonly logger: Logger
}

interface Kept {
  readonly forwarder: Forwarder
  readonly table: ConnectionTable
  readonly service: NodeNetworkService
}

/**
 * Crash: between the intent and the record of a connection, on its way in or out. A wire without a record was never
 * answered, or is closed already; a record without a wire cannot be refreshed into one that its client still has.
 */
export async function dropHalfMade({ forwarder, table, service }: Kept, signal: AbortSignal): Promise<void> {
  for (const { id } of forwarder.intents()) {
    if (table.get(id) === undefined) await forwarder.remove(id, signal)
  }
  for (const { id } of [...table.all()]) {
    if (forwarder.intent(id) === undefined) await service.end(id, 'its wire was removed')
  }
}

/** Shows the node's sessions to WireGuard's own tools, where the operator wants it. */
export async function serveSessions(config: NsmdConfig, dataplane: Dataplane, running: Running): Promise<void> {
  const { uapiSocket: path, tunnelPort: listenPort } = config
  const { scope, clock, logger } = running
  if (path === undefined) return
  const list = async (signal: AbortSignal) => {
    const [ports, counters] = await Promise.all([dataplane.ports(signal), dataplane.counters(signal)])
    return listDevice({ listenPort, ports, counters, nowMs: clock.nowMs() })
  }
  scope.own(await serveUapi({ path, list, clock, logger }))
  logger.info('Shows sessions to wg', { socket: path })
}

/** Runs `task` for as long as `scope` is open. */
export function runBeside(scope: Scope, task: (signal: AbortSignal) => Promise<void>): void {
  const running = task(scope.signal)
  scope.defer(() => running)
}

/** Root, or whoever was named, and the daemon's own user. */
export function adminUids({ adminUids: uids }: NsmdConfig): readonly number[] {
  const own = process.getuid?.()
  return own === undefined ? uids : [...uids, own]
}
