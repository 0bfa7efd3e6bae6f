import { Scope } from '../../base/index.ts'
import { EndpointServer, Registration, standingConnections } from '../../endpoint/index.ts'
import { PointToPointIpam, parseGroups } from '../../ipam/index.ts'
import {
  fullName,
  type OpenedEndpoint,
  type PodAt,
  podEndpointUrl,
  problemOf,
  type Serve,
  type Tell,
} from '../../kubernetes/index.ts'
import { ConnectionMonitor } from '../../monitor/index.ts'
import { withoutPolicy } from '../../policy/index.ts'
import { callsAs, callsTo, holdIdentity, type PodParts } from './pods.ts'

export interface PodEndpointOptions {
  readonly at: PodAt
  readonly serve: Serve
  readonly tell: Tell
  readonly signal: AbortSignal
}

/** The endpoint that a pod is, answered by its node. Closes what it opened when it cannot open. */
export async function openPodEndpoint(parts: PodParts, options: PodEndpointOptions): Promise<OpenedEndpoint> {
  const scope = new Scope()
  try {
    return { registration: await open(parts, options, scope), close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function open(parts: PodParts, { at, serve, tell, signal }: PodEndpointOptions, scope: Scope) {
  const { node, podEndpoints, clock, logger } = parts
  const name = fullName(at.pod)
  const identity = scope.own(await holdIdentity(parts, at))
  const ipam = new PointToPointIpam(parseGroups(serve.prefix))
  const endpoint = new EndpointServer({ ...parts, name, services: serve.services, ipam, identity })
  scope.defer(() => endpoint.stop())
  const pod = async () => identity
  const asPod = callsAs(parts, at, pod)
  const standing = await standingConnections({ monitor: asPod.monitor(node.monitor), name, clock, logger, signal })
  const { spiffeId } = parts.identity.current().svid
  endpoint.resume(standing, spiffeId)

  const asNode = callsTo(parts, pod)
  const monitor = new ConnectionMonitor({ connections: endpoint, isAdmin: () => true, policy: withoutPolicy })
  const url = podEndpointUrl(at.pod)
  scope.defer(
    podEndpoints.add(url, {
      client: asNode.networkService(endpoint),
      monitor: asNode.monitor(monitor),
      spiffeId: identity.current().svid.spiffeId,
      namespace: at.sandbox.namespace,
    }),
  )
  const registries = { services: asPod.services(node.services), endpoints: asPod.endpoints(node.endpoints) }
  const registering = { name, ...serve, url, registries, isServiceRegistered: true, keepsServices: true, clock, logger }
  const onFailure = (error: unknown) => tell({ at: 'pending', problem: problemOf(error) })
  return new Registration({ ...registering, onFailure })
}
