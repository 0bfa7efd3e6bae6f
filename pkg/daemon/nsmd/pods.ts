/**
 * What nsmd does for the pods of its node, as each of them: their requests and registrations go through the same chain, and
 * the same checks, as those of programs that ask for themselves.
 *
 *     API server, holder --> NodePods --> PodKeeper --as the pod--> this node's own services
 */
import type {
  EndpointRegistryServer,
  MonitorServer,
  NetworkServiceServer,
  ServiceRegistryServer,
} from '../../api/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import { KeptWire } from '../../client/index.ts'
import type { IdentitySource, TokenMinter } from '../../identity/index.ts'
import {
  accountOf,
  attestationOf,
  fullName,
  identityPath,
  KeptEndpoint,
  NeededIdentity,
  type PodAt,
  type PodEndpoints,
  type PodKeeper,
  wireId,
  wireStates,
} from '../../kubernetes/index.ts'
import type { IdentityAgent, NodeTrust } from '../../node/index.ts'
import { InProcess } from '../../rpc/index.ts'
import type { PathTokenParts } from '../../steps/index.ts'
import { openPodEndpoint } from './pod-endpoint.ts'

export interface PodParts extends Pick<PathTokenParts, 'maxLifetimeMs' | 'unsigned'> {
  /** This node, as its pods call it. */
  readonly node: {
    readonly networkService: NetworkServiceServer
    readonly monitor: MonitorServer
    readonly services: ServiceRegistryServer
    readonly endpoints: EndpointRegistryServer
  }
  /** Of this node. */
  readonly identity: IdentitySource
  readonly workloads: Pick<IdentityAgent, 'hold'>
  readonly podEndpoints: PodEndpoints
  readonly minter: TokenMinter
  readonly trust: Pick<NodeTrust, 'isRevoked'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Less than a pod's start waits for its wires, so that the reason is known in time. */
const REQUEST_MS = 6_000

export function podKeeper(parts: PodParts): PodKeeper {
  return {
    keepWire(at, { key, url }, tell) {
      const { node, clock, logger } = parts
      const identity = new NeededIdentity(() => holdIdentity(parts, at))
      const asPod = callsAs(parts, at, identity.get)
      const mesh = { services: asPod.networkService(node.networkService), monitor: asPod.monitor(node.monitor) }
      const wanted = { client: fullName(at.pod), id: wireId(at.pod, key), url, labels: {} }
      const log = logger.with({ pod: at.pod.name, namespace: at.pod.namespace })
      const options = { requestTimeoutMs: REQUEST_MS, isRetried: () => true, clock, logger: log, ...wireStates(tell) }
      const wire = KeptWire.open(wanted, { ...mesh, ...options })
      wire.ended.catch(() => {}) // what it says is told
      return {
        close: () => wire.close().finally(() => identity.close()),
        leave: () => wire.leave().finally(() => identity.close()),
      }
    },
    keepEndpoint(at, serve, tell) {
      const { clock, logger } = parts
      const open = (signal: AbortSignal) => openPodEndpoint(parts, { at, serve, tell, signal })
      return new KeptEndpoint({ open, tell, clock, logger: logger.with({ pod: at.pod.name }) })
    },
  }
}

export function holdIdentity({ workloads }: PodParts, { pod }: PodAt): Promise<IdentitySource> {
  return workloads.hold(identityPath(pod), accountOf(pod))
}

/** The pod's calls to its node. */
export function callsAs(parts: PodParts, at: PodAt, caller: () => Promise<IdentitySource>): InProcess {
  const attestation = attestationOf(at)
  return new InProcess({ ...parts, ...revocation(parts), caller, attestation, callee: ofNode(parts) })
}

/** This node's calls to an endpoint that it is itself, for a pod. */
export function callsTo(parts: PodParts, callee: () => Promise<IdentitySource>): InProcess {
  return new InProcess({ ...parts, ...revocation(parts), caller: ofNode(parts), attestation: undefined, callee })
}

function revocation({ trust }: PodParts) {
  return { isRevoked: (spiffeId: string) => trust.isRevoked(spiffeId) }
}

function ofNode({ identity }: PodParts) {
  return async () => identity
}
