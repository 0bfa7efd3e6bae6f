import {
  authorityV1,
  type Call,
  domainV1,
  type EndpointRegistryServer,
  type RegistryServer,
  type ServiceRegistryServer,
} from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import type { AuthorityHandlers, DomainsHandlers } from '../../federation/index.ts'
import { registryId } from '../../policy/index.ts'
import { endpointRegistryService, implement, type Service, serviceRegistryService } from '../../rpc/index.ts'

export interface AdminOptions {
  readonly domain: string
  readonly domains: DomainsHandlers
  readonly authority: AuthorityHandlers
  readonly services: ServiceRegistryServer
  readonly endpoints: EndpointRegistryServer
}

/**
 * What the operator on this host may do. Whoever can open the socket is the operator: calls come without an identity
 * and see what the registry itself sees.
 */
export function adminServices({ domain, domains, authority, services, endpoints }: AdminOptions): readonly Service[] {
  const asRegistry = (call: Call): Call => ({ ...call, peer: { ...call.peer, spiffeId: registryId(domain) } })
  const { joinNode, renew, issueWorkload } = refusals
  return [
    implement(domainV1.DomainsService, domains),
    implement(authorityV1.AuthorityService, {
      joinNode,
      renew,
      issueWorkload,
      watchTrust: (request, call) => authority.watchTrust(request, asRegistry(call)),
    }),
    serviceRegistryService(readOnly(services, asRegistry)),
    endpointRegistryService(readOnly(endpoints, asRegistry)),
  ]
}

function readOnly<T, Q>(registry: RegistryServer<T, Q>, asRegistry: (call: Call) => Call): RegistryServer<T, Q> {
  return {
    find: (query, call) => registry.find(query, asRegistry(call)),
    register: refuse,
    unregister: refuse,
  }
}

async function refuse(): Promise<never> {
  throw new NsmError('permission_denied', 'Cannot change anything here: the admin socket only reads it', {
    next: 'endpoints register through nsmd; nodes get identities with nsmctl node invite <name>',
  })
}

const refusals = { joinNode: refuse, renew: refuse, issueWorkload: refuse }
