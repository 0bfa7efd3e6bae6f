/**
 * Where a node is called: by other nodes over TCP, by its workloads through the holder, which says who they are, by
 * workloads that want an identity and have none to show yet, by administrators on a socket that only they can open, and by
 * nsm-cni when a pod starts or ends.
 */
import { dirname } from 'node:path'
import type {
  EndpointRegistryServer,
  MonitorServer,
  NetworkServiceServer,
  Peer,
  ServiceRegistryServer,
} from '../../api/index.ts'
import { type Clock, type Logger, Scope } from '../../base/index.ts'
import type { NsmdConfig } from '../../config/index.ts'
import { GateSocket } from '../../dataplane/index.ts'
import type { IdentitySource } from '../../identity/index.ts'
import type { StartGate } from '../../kubernetes/index.ts'
import { administratorsOnly, type NodeTrust } from '../../node/index.ts'
import { nodeId, type PolicySource } from '../../policy/index.ts'
import { readOnlyRegistry } from '../../registry/index.ts'
import { CLIENTS_PER_NAMER } from '../../request/index.ts'
import {
  callQuota,
  endpointRegistryService,
  Health,
  monitorService,
  networkService,
  type Server,
  type Service,
  serve,
  serveHandovers,
  serviceRegistryService,
  type WorkloadIdentities,
  workloadApiService,
} from '../../rpc/index.ts'
import { makePrivateDirectory } from '../../store/index.ts'

/** Names of the holder's sockets (`nsm-dataplane hold --listen <name>=<path>`). */
const NSM_SOCKET = 'nsm'
const WORKLOAD_SOCKET = 'workload'
/** Of `nsm-dataplane hold --cni <path>`. */
const CNI_SOCKET = 'cni'

export interface NodeServices {
  readonly networkService: NetworkServiceServer
  readonly monitor: MonitorServer
  readonly services: ServiceRegistryServer
  readonly endpoints: EndpointRegistryServer
  readonly workloads: WorkloadIdentities
  readonly gate: Pick<StartGate, 'answer'>
  /** What it shows includes where the node listens, which is known only when it does. */
  node(listen: readonly string[]): Service
}

export interface ServersOptions {
  readonly config: NsmdConfig
  readonly identity: IdentitySource
  readonly trust: NodeTrust
  readonly policy: PolicySource
  readonly isAdmin: (peer: Peer) => boolean
  readonly clock: Clock
  readonly logger: Logger
}

export interface NodeServers {
  /** Of the TCP server, with the port that was taken. */
  readonly url: string
  close(): Promise<void>
}

/** @throws {NsmError} `failed_precondition` when somebody else listens there. Ready when it returns. */
export async function serveNode(options: ServersOptions, services: NodeServices): Promise<NodeServers> {
  const scope = new Scope()
  try {
    return { url: await listen(options, services, scope), close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function listen(
  { config, identity, trust, policy, isAdmin, clock, logger }: ServersOptions,
  services: NodeServices,
  scope: Scope,
) {
  const isRevoked = (spiffeId: string) => trust.isRevoked(spiffeId)
  const mutual = { security: { identity, isRevoked }, clock, logger } as const
  const mesh = [
    networkService(services.networkService),
    monitorService(services.monitor),
    serviceRegistryService(services.services),
    endpointRegistryService(services.endpoints),
  ]
  const health = Health.serving(mesh)
  const quotas = { client: callQuota(config.maxWires), namer: callQuota(config.maxWires * CLIENTS_PER_NAMER) }
  const between = { listen: config.listenOn, services: [...mesh, health.service()], quota: quotas.namer }
  const remote = scope.own(await serve({ ...mutual, ...between }))
  const node = services.node([remote.url, NSM_SOCKET])
  const own = [...mesh, health.service(), node]
  const authorize = administratorsOnly(isAdmin, policy)
  const local = scope.own(await serve({ ...mutual, services: own, authorize, quota: quotas.client }))
  await serveAdministrators({ config, clock, logger }, [node, ...readOnlyServices(config, services)], scope)
  const identities = [workloadApiService(services.workloads)]
  const workload = scope.own(
    await serve({ security: 'plaintext', services: identities, quota: quotas.client, clock, logger }),
  )
  scope.defer(
    trust.subscribe(() => {
      remote.recheck()
      local.recheck()
    }),
  )
  const gate = scope.own(new GateSocket({ answer: services.gate.answer, clock, logger }))
  const servers = new Map<string, Pick<Server, 'accept'>>([
    [NSM_SOCKET, local],
    [WORKLOAD_SOCKET, workload],
    [CNI_SOCKET, gate],
  ])
  scope.own(await serveHandovers({ listen: `unix://${config.deliverSocket}`, servers, clock, logger }))
  return remote.url
}

/** What they can open needs no identity: in a container of its own, nsmd and its administrators have none but the node's. */
async function serveAdministrators(
  { config, clock, logger }: Pick<ServersOptions, 'config' | 'clock' | 'logger'>,
  services: readonly Service[],
  scope: Scope,
): Promise<void> {
  const { adminSocket } = config
  if (adminSocket === undefined) return
  makePrivateDirectory(dirname(adminSocket))
  scope.own(await serve({ listen: `unix://${adminSocket}`, security: 'plaintext', services, clock, logger }))
}

/** The registries as the node itself sees them. */
function readOnlyServices({ domain, name }: NsmdConfig, { services, endpoints }: NodeServices): readonly Service[] {
  const self = nodeId(domain, name)
  return [
    serviceRegistryService(readOnlyRegistry(services, self)),
    endpointRegistryService(readOnlyRegistry(endpoints, self)),
  ]
}
