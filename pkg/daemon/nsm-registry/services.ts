import { authorityV1, domainV1, type EndpointRegistryServer, type ServiceRegistryServer } from '../../api/index.ts'
import {
  type AuthorityHandlers,
  type DomainsHandlers,
  type FederationHandlers,
  readOnlyAuthority,
} from '../../federation/index.ts'
import { registryId } from '../../policy/index.ts'
import { readOnlyRegistry } from '../../registry/index.ts'
import { endpointRegistryService, implement, type Service, serviceRegistryService } from '../../rpc/index.ts'

export interface Handlers {
  readonly domain: string
  readonly services: ServiceRegistryServer
  readonly endpoints: EndpointRegistryServer
  readonly authority: AuthorityHandlers
  readonly federation: FederationHandlers
  readonly domains: DomainsHandlers
}

/** For the nodes and workloads of this domain, and for the registries of other domains. */
export function memberServices({ services, endpoints, authority, federation }: Handlers): readonly Service[] {
  return [
    serviceRegistryService(services),
    endpointRegistryService(endpoints),
    implement(authorityV1.AuthorityService, authority),
    implement(domainV1.FederationService, federation),
  ]
}

/**
 * For the operator on this host: whoever can open the admin socket. Its calls come without an identity, and see what
 * the registry itself sees.
 */
export function adminServices({ domain, services, endpoints, authority, domains }: Handlers): readonly Service[] {
  return [
    implement(domainV1.DomainsService, domains),
    implement(authorityV1.AuthorityService, readOnlyAuthority(authority, domain)),
    serviceRegistryService(readOnlyRegistry(services, registryId(domain))),
    endpointRegistryService(readOnlyRegistry(endpoints, registryId(domain))),
  ]
}
