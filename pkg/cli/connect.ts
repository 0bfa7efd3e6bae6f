/** Connects nsmctl to the node, with the identity of the caller, and to the registry, through its admin socket. */
import { domainV1, nodeV1, timeToProto, trustDomainOf } from '../api/index.ts'
import { type Clock, NsmError, type NsmErrorOptions, Scope, silentLogger, within } from '../base/index.ts'
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
  const limited: Limited = (call) => within({ clock, ms: CALL_TIMEOUT_MS, signal }, (until) => call({ signal: until }))
  return {
    node: () => connectNode({ config, clock, signal }, scope, limited),
    admin: async () => {
      const url = `unix://${config.adminSocket}`
      return adminApi(scope.own(new Channel(url, { security: 'plaintext', clock, who: 'the registry' })), limited)
    },
    close: () => scope.close(),
  }
}

/** Makes a call with a time limit. */
type Limited = <T>(call: (options: { readonly signal: AbortSignal }) => Promise<T>) => Promise<T>

async function connectNode(options: ConnectOptions, scope: Scope, limited: Limited): Promise<NodeApi> {
  const channel = scope.own(await openNode(options, scope))
  const node = clientOf(nodeV1.NodeService, channel)
  return {
    status: () => limited((call) => node.getStatus({}, call)),
    wires: async (id) => (await limited((call) => node.listWires({ id }, call))).wires,
    closeWire: async (id) => void (await limited((call) => node.closeWire({ id }, call))),
    explainPolicy: (question) =>
      limited((call) => node.explainPolicy(nodeV1.PolicyQuestion.fromPartial(question), call)),
    diffPolicy: (files) => limited((call) => node.diffPolicy({ files: [...files] }, call)),
    services: serviceRegistryClient(channel),
    endpoints: endpointRegistryClient(channel),
    networkServices: networkServiceClient(channel),
    monitor: monitorClient(channel),
  }
}

/** By the admin socket of the node, where we can open one; else as the workload that we are. */
async function openNode({ config, clock, signal }: ConnectOptions, scope: Scope): Promise<Channel> {
  const who = 'the node'
  const { nodeAdminSocket, workloadApi } = config
  if (nodeAdminSocket !== undefined)
    return new Channel(`unix://${nodeAdminSocket}`, { security: 'plaintext', clock, who })
  const source = within({ clock, ms: IDENTITY_TIMEOUT_MS, signal }, (until) =>
    workloadApiSource({ url: workloadApi, clock, logger: silentLogger, signal: until }),
  )
  const identity = scope.own(await source.catch((error: unknown) => refuseIdentity(error, workloadApi)))
  const ownDomain = trustDomainOf(identity.current().svid.spiffeId)
  const security = { identity, expect: (spiffeId: string) => isNode(spiffeId, ownDomain) }
  return new Channel(config.connectTo, { security, clock, who })
}

function refuseIdentity(cause: unknown, url: string): never {
  const options: NsmErrorOptions = {
    cause,
    fields: { url },
    next: 'run nsmctl on a node, with the SPIFFE_ENDPOINT_SOCKET and NSM_CONNECT_TO of its workloads',
  }
  throw new NsmError('unavailable', 'Cannot reach the node: its Workload API provided no identity in time', options)
}

function adminApi(channel: Channel, limited: Limited): AdminApi {
  const domains = clientOf(domainV1.DomainsService, channel)
  return {
    invite: (domain, lifetimeMs) =>
      limited((call) => domains.invite({ domain, lifetime: timeToProto(lifetimeMs) }, call)),
    join: (token) => limited((call) => domains.join({ token }, call)),
    domains: () => limited((call) => domains.list({}, call)),
    revoke: async (name) => void (await limited((call) => domains.revoke({ name }, call))),
    export: async (service, domain, when) =>
      void (await limited((call) => domains.export({ service, domain, when }, call))),
    unexport: async (service, domain) => void (await limited((call) => domains.unexport({ service, domain }, call))),
    inviteNode: (node, lifetimeMs) =>
      limited((call) => domains.inviteNode({ node, lifetime: timeToProto(lifetimeMs) }, call)),
    nodes: async () => (await limited((call) => domains.listNodes({}, call))).nodes,
    revokeNode: async (node) => void (await limited((call) => domains.revokeNode({ node }, call))),
  }
}
