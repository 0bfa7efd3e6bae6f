/**
 * Decides which domain's registry answers a query. All names in a query must be of one domain; they come out without
 * it.
 */
import type { NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'
import { NsmError, type QualifiedName, qualifyName, splitName } from '../../base/index.ts'
import { checkDomain, checkName } from '../rules/names.ts'

export interface RoutedQuery<T> {
  readonly query: Partial<T>
  /** Undefined when our own registry answers. */
  readonly otherDomain: string | undefined
}

/** @throws {NsmError} `invalid_argument` when a name is malformed. */
export function routeServiceQuery(asked: Partial<NetworkService>, ownDomain: string): RoutedQuery<NetworkService> {
  const name = readName('name', asked.name ?? '')
  return { query: { ...asked, name: name.name }, otherDomain: otherDomainOf([name], ownDomain) }
}

/** @throws {NsmError} `invalid_argument` when a name is malformed, or when the names are of different domains. */
export function routeEndpointQuery(
  asked: Partial<NetworkServiceEndpoint>,
  ownDomain: string,
): RoutedQuery<NetworkServiceEndpoint> {
  const name = readName('name', asked.name ?? '')
  const services = (asked.networkServiceNames ?? []).map((service) => readName('network_service_names', service))
  const labels = [...(asked.networkServiceLabels ?? [])].map(
    ([service, wanted]) => [readName('network_service_labels', service), wanted] as const,
  )
  const query = {
    ...asked,
    name: name.name,
    networkServiceNames: services.map((service) => service.name),
    networkServiceLabels: new Map(labels.map(([service, wanted]) => [service.name, wanted])),
  }
  const names = [...(name.name === '' ? [] : [name]), ...services, ...labels.map(([service]) => service)]
  return { query, otherDomain: otherDomainOf(names, ownDomain) }
}

/** An empty name matches every name. */
function readName(field: string, full: string): QualifiedName {
  const split = splitName(full)
  if (full !== '') checkName(field, split.name)
  const hasDomain = split.domain !== '' || full !== qualifyName(split.name, split.domain)
  if (hasDomain) checkDomain(split.domain)
  return split
}

function otherDomainOf(names: readonly QualifiedName[], ownDomain: string): string | undefined {
  const domains = [...new Set(names.map(({ domain }) => (domain === '' ? ownDomain : domain)))]
  if (domains.length > 1) {
    throw new NsmError('invalid_argument', 'Cannot search the registry: the query names several domains', {
      fields: { domains: domains.join(' ') },
      next: 'ask one domain at a time',
    })
  }
  return domains[0] === ownDomain ? undefined : domains[0]
}
