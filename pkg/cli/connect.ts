/** The mesh as nsmctl reaches it: the node with the caller's own identity, the registry through its admin socket. */
import { domainV1, nodeV1, timeToProto, trustDomainOf } from '../api/index.ts'
import { type Clock, NsmError, type NsmErrorOptions, Scope, silentLogger, withTimeout } from '../base/index.ts'
import type { NsmctlConfig } from '../config/index.ts'
import { isNode } from '../policy/index.ts'
import {
  Channel,
  clientOf,
  endpointRegistryClient,
  monitorClient,
  networkServiceClient,
  serviceRegistryClient,
  workloadApiSource,
} from '../rpc/index.ts'
import type { AdminApi, Mesh, NodeApi } from './mesh.ts'

const IDENTITY_TIMEOUT_MS = 3_000
const CALL_TIMEOUT_MS = 10_000

export interface ConnectOptions {
  readonly config: NsmctlConfig
  readonly clock: Clock
  readonly signal: AbortSignal
}

export function connectMesh({ config, clock, signal }: ConnectOptions): Mesh {
  const scope = new Scope()
  const call = () => ({ signal: withTimeout(signal, CALL_TIMEOUT_MS) })
  return {
    node: () => connectNode({ config, clock, signal }, scope, call),
    admin: async () => {
      const url = `unix://${config.adminSocket}`
      return adminApi(scope.own(new Channel(url, { security: 'plaintext', clock })), call)
    },
    close: () => scope.close(),
  }
}

type Calls = () => { readonly signal: AbortSignal }

async function connectNode({ config, clock, signal }: ConnectOptions, scope: Scope, call: Calls): Promise<NodeApi> {
  const wait = withTimeout(signal, IDENTITY_TIMEOUT_MS)
  const source = workloadApiSource({ url: config.workloadApi, clock, logger: silentLogger, signal: wait })
  const identity = scope.own(await source.catch((error: unknown) => refuseIdentity(error, config.workloadApi)))
  const ownDomain = trustDomainOf(identity.current().svid.spiffeId)
  const security = { identity, expect: (spiffeId: string) => isNode(spiffeId, ownDomain) }
  const channel = scope.own(new Channel(config.connectTo, { security, clock }))
  const node = clientOf(nodeV1.NodeService, channel)
  return {
    status: () => node.getStatus({}, call()),
    wires: async (id) => (await node.listWires({ id }, call())).wires,
    closeWire: async (id) => void (await node.closeWire({ id }, call())),
    services: serviceRegistryClient(channel),
    endpoints: endpointRegistryClient(channel),
    networkServices: networkServiceClient(channel),
    monitor: monitorClient(channel),
  }
}

function refuseIdentity(cause: unknown, url: string): never {
  const options: NsmErrorOptions = {
    cause,
    fields: { url },
    next: 'run nsmctl on a node, with SPIFFE_ENDPOINT_SOCKET and NSM_CONNECT_TO as its workloads have them',
  }
  throw new NsmError('unavailable', 'Cannot reach the node: it gave no identity in time', options)
}

function adminApi(channel: Channel, call: Calls): AdminApi {
  const domains = clientOf(domainV1.DomainsService, channel)
  return {
    invite: (lifetimeMs) => domains.invite({ lifetime: timeToProto(lifetimeMs) }, call()),
    join: (token) => domains.join({ token }, call()),
    domains: () => domains.list({}, call()),
    revoke: async (name) => void (await domains.revoke({ name }, call())),
    export: async (service, domain) => void (await domains.export({ service, domain }, call())),
    unexport: async (service, domain) => void (await domains.unexport({ service, domain }, call())),
    inviteNode: (node, lifetimeMs) => domains.inviteNode({ node, lifetime: timeToProto(lifetimeMs) }, call()),
    nodes: async () => (await domains.listNodes({}, call())).nodes,
    revokeNode: async (node) => void (await domains.revokeNode({ node }, call())),
  }
}
