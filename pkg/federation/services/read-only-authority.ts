import { NsmError } from '../../base/index.ts'
import { registryId } from '../../policy/index.ts'
import type { AuthorityHandlers } from './authority-service.ts'

/** The authority as the operator sees it: the trust state, as the registry of `domain` sees it, and nothing issued. */
export function readOnlyAuthority(authority: AuthorityHandlers, domain: string): AuthorityHandlers {
  return {
    joinNode: refuse,
    renew: refuse,
    issueWorkload: refuse,
    watchTrust: (request, call) =>
      authority.watchTrust({ ...request, url: '' }, { ...call, peer: { ...call.peer, spiffeId: registryId(domain) } }),
  }
}

async function refuse(): Promise<never> {
  throw new NsmError('permission_denied', 'Cannot issue the identity: the admin socket only reads the trust state', {
    next: 'nodes get an identity with a token of nsmctl node invite <name>, workloads from their node',
  })
}
