/**
 * nsmd: manager and forwarder of one node, and its identity agent.
 *
 *     workloads --holder--> identities, NSM --.
 *     other nodes --mTLS--> NSM ---------------+--> chain --> intents --> forwarder --> kernel, dataplane
 *     registry <-- what there is, whom to trust, where our endpoints are
 */
import { join } from 'node:path'
import { nodeV1, type Peer } from '../../api/index.ts'
import { Scope } from '../../base/index.ts'
import { type NsmdConfig, nsmdConfig } from '../../config/index.ts'
import { ConnectionTable, connectionRecords } from '../../connections/index.ts'
import {
  endpointRecords,
  keepRegistered,
  NodeEndpointRegistry,
  NodeServiceRegistry,
  RegisteredEndpoints,
  RegistryDirectory,
} from '../../directory/index.ts'
import { Forwarder } from '../../forwarding/index.ts'
import { TokenMinter } from '../../identity/index.ts'
import { ConnectionMonitor } from '../../monitor/index.ts'
import { NodeNetworkService } from '../../request/index.ts'
import { Channels, implement } from '../../rpc/index.ts'
import { pathTokens } from '../../steps/index.ts'
import type { Program, Surroundings } from '../run-program.ts'
import { keepTrue } from './keep-true.ts'
import { type Machine, openMachine } from './machine.ts'
import { nextHops } from './next-hops.ts'
import { nodeIdentity } from './node-identity.ts'
import { nodeHandlers } from './node-service.ts'
import { followTrust, NodeTrust } from './node-trust.ts'
import {
  adminUids,
  dropHalfMade,
  keepUnderlays,
  openState,
  registryOf,
  runBeside,
  selfOf,
  serveSessions,
} from './parts.ts'
import { type NodeServers, serveNode } from './servers.ts'
import { NodeWorkloads } from './workload-identities.ts'

export const nsmdProgram: Program<NsmdConfig> = { name: 'nsmd', config: nsmdConfig, start: startNode }

export interface NodeOptions extends Surroundings {
  /** For tests: a machine in memory. */
  readonly openMachine?: (config: NsmdConfig, surroundings: Surroundings) => Promise<Machine>
}

/** Resolves when the wires of before are settled and the node serves. Closes what it opened when it cannot start. */
export async function startNode(config: NsmdConfig, options: NodeOptions): Promise<NodeServers> {
  const scope = new Scope()
  try {
    const { url } = await compose(config, options, scope)
    return { url, close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function compose(config: NsmdConfig, options: NodeOptions, scope: Scope): Promise<NodeServers> {
  const { clock, logger, signal } = options
  const common = { clock, logger }
  const state = openState(config, scope)
  const machine = scope.own(await (options.openMachine ?? openMachine)(config, options))
  const trust = await NodeTrust.open(join(config.stateDir, 'trust'))
  const identity = scope.own(await nodeIdentity({ ...options, config, trust, path: join(config.stateDir, 'identity') }))
  const self = await selfOf(config, machine, signal)
  await keepUnderlays({ config, dataplane: machine.dataplane, key: self.tunnel.nodeKey, logger }, scope, signal)

  await serveSessions(config, machine.dataplane, { scope, ...common })

  const minter = new TokenMinter(clock, config.maxTokenLifetimeMs)
  const channels = scope.own(new Channels({ identity, clock, tokens: minter }))
  const registry = registryOf(channels, config)
  const directory = scope.own(new RegistryDirectory({ ...registry, ...common }))
  const registered = scope.own(new RegisteredEndpoints(endpointRecords(state.connections), clock))
  const forwarder = scope.own(await Forwarder.open({ database: state.wires, ...machine, ...common }, signal))

  const table = new ConnectionTable(connectionRecords(state.connections))
  const hops = { channels, domain: config.domain, dialSocket: config.dialSocket }
  const service = new NodeNetworkService({
    self,
    table,
    directory,
    forwarding: forwarder,
    nextHops: nextHops(hops),
    tokens: pathTokens({ identity, minter, clock, isRevoked: (spiffeId) => trust.isRevoked(spiffeId) }),
    exports: () => trust.exports(),
    local: (endpoint) => registered.get(endpoint),
    ...common,
  })
  scope.defer(() => service.shutdown())
  await dropHalfMade({ forwarder, table, service }, signal)
  scope.own(keepTrue({ table, service, dataplane: machine.dataplane, trust, hops, ...common }))

  const registration = { self, registry, registered, ...common }
  runBeside(scope, (until) =>
    followTrust(trust, { watch: (each) => registry.authority.watchTrust({}, { signal: each }), ...common }, until),
  )
  runBeside(scope, (until) => keepRegistered(registration, until))

  const isAdmin = ({ attestation }: Peer) => attestation !== undefined && adminUids(config).includes(attestation.uid)
  const workloads = scope.own(new NodeWorkloads({ authority: registry.authority, trust, ...common }))
  const watched = { self, identity, trust, table, forwarder, service, dataplane: machine.dataplane, isAdmin, clock }
  return scope.own(
    await serveNode(
      { config, identity, trust, ...common },
      {
        networkService: service,
        monitor: new ConnectionMonitor({ connections: table, isAdmin }),
        services: new NodeServiceRegistry(registration),
        endpoints: new NodeEndpointRegistry(registration),
        workloads,
        node: (listen) => implement(nodeV1.NodeService, nodeHandlers({ ...watched, listen, startedMs: clock.nowMs() })),
      },
    ),
  )
}
