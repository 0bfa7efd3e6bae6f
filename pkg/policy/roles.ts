/**
 * The roles that SPIFFE IDs stand for. `identity` must have verified the IDs before.
 *
 *     spiffe://<domain>/registry                 the registry and certificate authority of the domain
 *     spiffe://<domain>/node/<node>              nsmd of a node
 *     spiffe://<domain>/node/<node>/<path>       a workload that this node has attested
 */
import { trustDomainOf } from '../api/index.ts'

const NODE_NAME = /^[A-Za-z0-9._-]+$/

export function registryId(domain: string): string {
  return `spiffe://${domain}/registry`
}

export function nodeId(domain: string, node: string): string {
  return `spiffe://${domain}/node/${node}`
}

export function isRegistry(spiffeId: string, domain: string): boolean {
  return domain !== '' && spiffeId === registryId(domain)
}

export function isNode(spiffeId: string, domain: string): boolean {
  return nodeNameOf(spiffeId, domain) !== undefined
}

/** The name of the node that has this identity; undefined for workloads and all others. */
export function nodeNameOf(spiffeId: string, domain: string): string | undefined {
  const prefix = nodeId(domain, '')
  if (domain === '' || !spiffeId.startsWith(prefix)) return undefined
  const name = spiffeId.slice(prefix.length)
  return NODE_NAME.test(name) ? name : undefined
}

/**
 * Whose word it is that there is somebody with this identity, and who could name ever more: a node for its workloads,
 * another domain for all of its own; of others in our domain the authority, so that they answer for themselves.
 */
export function namerOf(spiffeId: string, ownDomain: string): string {
  const domain = trustDomainOf(spiffeId)
  if (domain !== ownDomain) return domain
  const node = spiffeId.split('/').slice(0, 5).join('/')
  return isNode(node, domain) ? node : spiffeId
}

/**
 * Whose share of a server somebody uses with a connection of its own over the network: that of {@link namerOf}. The
 * workloads of a node have one together, and so have those of another domain; they take nothing of the share that their
 * node, or the nodes and the registry of that domain, have.
 */
export function shareOf(spiffeId: string, ownDomain: string): string {
  const domain = trustDomainOf(spiffeId)
  const namer = namerOf(spiffeId, ownDomain)
  const isItself = spiffeId === namer || isNode(spiffeId, domain) || isRegistry(spiffeId, domain)
  return isItself ? namer : `workloads of ${namer}`
}

/** Whether `spiffeId` belongs to a workload of `node`, which is the SPIFFE ID of a node. */
export function isWorkloadOf(spiffeId: string, node: string): boolean {
  return isNode(node, trustDomainOf(node)) && spiffeId.startsWith(`${node}/`) && spiffeId.length > node.length + 1
}
