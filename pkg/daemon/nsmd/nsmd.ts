/**
 * nsmd: manager and forwarder of one node, and its identity agent.
 *
 *     workloads --holder--> identities, NSM --.
 *     other nodes --mTLS--> NSM ---------------+--> chain --> intents --> forwarder --> kernel, dataplane
 *     registry <-- what there is, whom to trust, where our endpoints are
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, type Runtime, Scope } from '../../base/index.ts'
import { type NsmdConfig, readWholeFile } from '../../config/index.ts'
import { ConnectionTable, connectionRecords } from '../../connections/index.ts'
import type { Dataplane } from '../../dataplane/index.ts'
import {
  endpointRecords,
  keepRegistered,
  NodeEndpointRegistry,
  NodeServiceRegistry,
  RegisteredEndpoints,
  RegistryDirectory,
} from '../../directory/index.ts'
import { decodeToken } from '../../federation/index.ts'
import { Forwarder } from '../../forwarding/index.ts'
import { type IdentitySource, TokenMinter } from '../../identity/index.ts'
import { PodEndpoints, StartGate } from '../../kubernetes/index.ts'
import { underlaysOf } from '../../mechanism/index.ts'
import { ConnectionMonitor } from '../../monitor/index.ts'
import { reachOf } from '../../net/index.ts'
import {
  type AuthorityClient,
  administrators,
  authorityClient,
  checkTrusted,
  endIncomplete,
  followTrust,
  IdentityAgent,
  keepUnderlays,
  NextHops,
  NodeTrust,
  NodeView,
  nodeIdentity,
  nodeKey,
  nodeService,
  otherAgent,
  PolicyView,
  refreshMoved,
  selfOf,
  shownConnections,
  superviseConnections,
} from '../../node/index.ts'
import { isRegistry, PolicyFiles } from '../../policy/index.ts'
import { NodeNetworkService } from '../../request/index.ts'
import { Channels, endpointRegistryClient, serviceRegistryClient } from '../../rpc/index.ts'
import { pathTokens } from '../../steps/index.ts'
import { serveSessions } from '../../uapi/index.ts'
import { type ClusterClient, keepPods } from './kubernetes.ts'
import { type Machine, openMachine } from './machine.ts'
import { openState } from './open-state.ts'
import { openPlatform } from './platform.ts'
import { type NodeServers, serveNode } from './servers.ts'

export interface NodeOptions extends Runtime {
  /** For tests: a machine in memory. */
  readonly openMachine?: (config: NsmdConfig, runtime: Runtime) => Promise<Machine>
  /** For tests: an API server in memory. */
  readonly openCluster?: (config: NsmdConfig, runtime: Runtime) => Promise<ClusterClient>
}

/** Resolves when the wires from before have settled and the node serves. Closes what it opened when it cannot start. */
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
  const { clock, logger, signal, faults } = options
  const { domain } = config
  const common = { clock, logger }
  const policy = new PolicyFiles({ paths: config.policyFiles, domain, read: readWholeFile, ...common })
  const state = openState(config.stateDir, scope)
  const machine = scope.own(await (options.openMachine ?? openMachine)(config, options))
  const { dataplane } = machine
  const { trust, identity, self } = await identify(config, { ...options, dataplane }, scope)
  const { registry, authority, nextHops, tokens, pods } = connect(config, { identity, trust, clock }, scope)

  const registered = scope.own(new RegisteredEndpoints(endpointRecords(state.connections), clock))
  const wires = scope.own(await Forwarder.open({ database: state.wires, ...machine, ...common }, signal))
  const local = (endpoint: string) => registered.get(endpoint)
  const judge = checkTrusted({ domain, trust, policy, local })
  const table = scope.own(new ConnectionTable(connectionRecords(state.connections), clock, judge))
  const service = new NodeNetworkService({
    self,
    table,
    maxWires: config.maxWires,
    directory: scope.own(new RegistryDirectory({ ...registry, ...common })),
    forwarding: wires,
    nextHops,
    tokens,
    exports: () => trust.exports(),
    exportConditions: () => trust.exportConditions(),
    policy,
    excludedPrefixes: () => config.excludedPrefixes,
    local,
    ...common,
  })
  scope.defer(() => service.shutdown())
  const end: NodeNetworkService['end'] = (id, reason, isStill) => service.end(id, reason, isStill)
  await endIncomplete({ table, wires, end }, signal)
  refreshMoved({ table, tunnel: self.tunnel, logger })
  const gate = new StartGate(clock)
  const supervised = { domain, table, wires, endpoints: registered, dataplane, trust, policy, nextHops, local, end }
  const { seen } = scope.own(superviseConnections({ ...supervised, isStarting: gate.isStarting, ...common }))

  const registration = { self, registry, registered, policy, ...common }
  scope.run((until) => policy.follow(until))
  scope.run((until) => keepRegistered(registration, until))
  scope.run((until) => followTrust(trust, { watch: watchAs(self, authority), ...common }, until))

  const isAdmin = administrators(config.adminUids)
  const shown = { table, wires, seen, wanted: service.wanted, faults, databases: [state.connections, state.wires] }
  const viewed = { self, identity, trust, policy, dataplane, ...shown, clock }
  const policyView = new PolicyView({ domain, trust, policy, table, local })
  const workloads = scope.own(new IdentityAgent({ authority, trust, ...common }))
  const services = {
    networkService: service,
    monitor: new ConnectionMonitor({ connections: shownConnections(table, seen), isAdmin, policy }),
    services: new NodeServiceRegistry(registration),
    endpoints: new NodeEndpointRegistry(registration),
    workloads: config.spiffeSocket === undefined ? workloads : otherAgent(config.spiffeSocket),
    gate,
    node: (listen: readonly string[]) =>
      nodeService({ view: new NodeView({ ...viewed, listen }), policy: policyView, end }),
  }
  const servers = scope.own(await serveNode({ config, identity, trust, policy, isAdmin, ...common }, services))
  const known = { node: services, identity, workloads, ...pods, trust, ...common }
  await keepPods({ ...options, config, scope, gate, namespaces: machine.pods, table, end }, known)
  return servers
}

/** What the authority says to this run of the daemon. */
function watchAs({ publicUrl: url }: { readonly publicUrl: string }, authority: AuthorityClient) {
  const run = { url, instance: randomUUID() }
  return (signal: AbortSignal) => authority.watchTrust(run, signal)
}

/** Who this node is, and the sockets under which other nodes know it. */
async function identify(config: NsmdConfig, options: Runtime & { readonly dataplane: Dataplane }, scope: Scope) {
  const { dataplane, clock, logger, signal } = options
  const { stateDir, uapiSocket, tunnelPort: listenPort } = config
  const trust = await NodeTrust.open(join(stateDir, 'trust'))
  const path = join(stateDir, 'identity')
  const platform = await openPlatform({ config, clock }, scope)
  const identity = scope.own(await nodeIdentity({ ...options, config, trust, path, decodeToken, platform }))
  const self = selfOf(config, await dataplane.status(signal), await nodeKey(join(stateDir, 'node-key')))
  scope.own(await keepUnderlays({ underlays: underlaysOf(self.tunnel), dataplane, logger }, signal))
  const sessions = { listenPort, dataplane, clock, logger }
  if (uapiSocket !== undefined) scope.own(await serveSessions({ path: uapiSocket, ...sessions }))
  return { trust, identity, self }
}

interface Known {
  readonly identity: IdentitySource
  readonly trust: NodeTrust
  readonly clock: Clock
}

/** The ways to the registry, to other nodes and to endpoints. */
function connect(config: NsmdConfig, { identity, trust, clock }: Known, scope: Scope) {
  const { domain, dialSocket } = config
  const podEndpoints = new PodEndpoints()
  const minter = new TokenMinter(clock, config.maxTokenLifetimeMs)
  const isRevoked = (spiffeId: string) => trust.isRevoked(spiffeId)
  const channels = scope.own(new Channels({ identity, clock, tokens: minter, isRevoked }))
  scope.defer(trust.subscribe(() => channels.recheck()))
  const expect = (spiffeId: string) => isRegistry(spiffeId, domain)
  const callee = channels.to(config.registryUrl, { role: 'registry', who: `the registry of ${domain}`, expect })
  return {
    registry: { services: serviceRegistryClient(callee), endpoints: endpointRegistryClient(callee) },
    authority: authorityClient(callee),
    pods: { podEndpoints, minter },
    nextHops: new NextHops({
      channels,
      domain,
      dialSocket,
      own: podEndpoints,
      reach: reachOf([config.publicUrl ?? config.listenOn]),
    }),
    tokens: pathTokens({
      identity,
      minter,
      clock,
      maxLifetimeMs: config.maxTokenLifetimeMs,
      unsigned: config.unsignedPath,
      isRevoked,
    }),
  }
}
