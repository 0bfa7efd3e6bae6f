/** nsmesh.authority.v1.Authority where another agent, such as SPIRE, issues the identities: only says whom to trust. */
import type { Call } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { nodeNameOf } from '../../policy/index.ts'
import type { ConnectedNodes } from '../trust/connected-nodes.ts'
import type { NodeAddresses } from '../trust/node-addresses.ts'
import { noteNode } from '../trust/nodes.ts'
import type { Trust } from '../trust/trust.ts'
import { type AuthorityHandlers, type Disk, watchTrust } from './authority-service.ts'

export interface AgentAuthorityOptions {
  readonly trust: Trust
  readonly nodes: NodeAddresses
  readonly connected: ConnectedNodes
  readonly disk?: Disk | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export function agentAuthorityHandlers(options: AgentAuthorityOptions): AuthorityHandlers {
  return {
    joinNode: refuse,
    renew: refuse,
    issueWorkload: refuse,
    async *watchTrust(request, call) {
      await note(options, call)
      yield* watchTrust(options, request, call)
    },
  }
}

/** It has not joined with a token, and can be revoked all the same once it is known. */
async function note({ trust, clock }: AgentAuthorityOptions, { peer }: Call): Promise<void> {
  const node = nodeNameOf(peer.spiffeId, trust.domain)
  if (node !== undefined) await noteNode(trust.records, node, clock.nowMs())
}

async function refuse(): Promise<never> {
  throw issuesNoIdentities()
}

export function issuesNoIdentities(): NsmError {
  return new NsmError('failed_precondition', 'Cannot issue the identity: another agent issues those of this domain', {
    next: 'register it with that agent, and point SPIFFE_ENDPOINT_SOCKET at it',
  })
}
