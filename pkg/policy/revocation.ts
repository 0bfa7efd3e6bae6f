import { trustDomainOf } from '../api/index.ts'
import { isNode, nodeId } from './roles.ts'

/** In place of a node's name: every node of the domain. */
export const EVERY_NODE = '*'

/**
 * Whether `spiffeId` is that of an expelled node, or of a workload on one.
 * @param revoked SPIFFE IDs of nodes; that of {@link EVERY_NODE} stands for all nodes of its domain.
 */
export function isRevokedBy(revoked: ReadonlySet<string>, spiffeId: string): boolean {
  if (revoked.size === 0) return false
  const node = spiffeId.split('/', 5).join('/') // spiffe://<domain>/node/<name>
  const domain = trustDomainOf(spiffeId)
  return revoked.has(node) || (isNode(node, domain) && revoked.has(nodeId(domain, EVERY_NODE)))
}
