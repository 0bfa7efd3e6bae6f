import { trustDomainOf } from '../api/index.ts'
import { isNode, isWorkloadOf } from '../policy/index.ts'

/**
 * In the extra context of what a node asks an endpoint of its own: the client for whom it counts the wire. The kernel
 * tells the node who has many uids; the endpoint sees many identities.
 */
export const COUNTED_FOR = 'nsmesh.counted-for'

/** For whom a wire is counted. */
export interface CountedFor {
  readonly client: string
  /** Whose word it is that there is such a client, and who could name ever more of them: a node, or another domain. */
  readonly namer?: string
}

/**
 * For whom counts what `asker` asks for.
 * @param first the client that is proven on the path; of one that is not below the asker, who only passes its tokens on,
 *   nothing is counted.
 */
export function countedFor(asker: string, first: string, ownDomain: string): CountedFor {
  const domain = trustDomainOf(asker)
  if (domain !== ownDomain) return { client: trustDomainOf(first) === domain ? first : asker, namer: domain }
  if (isNode(asker, ownDomain)) return { client: isWorkloadOf(first, asker) ? first : asker, namer: asker }
  return { client: asker }
}
