/** Finds out which domain a query is for: all names in it must agree. Names come out without their domain. */
import type { NetworkService, NetworkServiceEndpoint } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { checkDomain, checkName, splitName } from './names.ts'

export interface RoutedQuery<T> {
  readonly query: Partial<T>
  /** Undefined when the query is for our own domain. */
  readonly otherDomain: string | undefined
}

/** @throws {NsmError} `invalid_argument` when a name cannot be one. */
export function serviceQueryOf(asked: Partial<NetworkService>, own: string): RoutedQuery<NetworkService> {
  const name = readName('name', asked.name ?? '')
  return { query: { ...asked, name: name.name }, otherDomain: otherDomainOf([name.domain], own) }
}

/** @throws {NsmError} `invalid_argument` when a name cannot be one, or when names are of different domains. */
export function endpointQueryOf(
  asked: Partial<NetworkServiceEndpoint>,
  own: string,
): RoutedQuery<NetworkServiceEndpoint> {
  const name = readName('name', asked.name ?? '')
  const services = (asked.networkServiceNames ?? []).map((service) => readName('network_service_names', service))
  const labels = [...(asked.networkServiceLabels ?? [])].map(
    ([service, wanted]) => [readName('network_service_labels', service), wanted] as const,
  )
  const names = [...(name.name === '' ? [] : [name]), ...services, ...labels.map(([service]) => service)]
  const query = {
    ...asked,
    name: name.name,
    networkServiceNames: services.map((service) => service.name),
    networkServiceLabels: new Map(labels.map(([service, wanted]) => [service.name, wanted])),
  }
  return {
    query,
    otherDomain: otherDomainOf(
      names.map(({ domain }) => domain),
      own,
    ),
  }
}

function readName(field: string, full: string): ReturnType<typeof splitName> {
  const split = splitName(full)
  if (full !== '') checkName(field, split.name)
  if (split.domain !== undefined) checkDomain(split.domain)
  return split
}

function otherDomainOf(domains: readonly (string | undefined)[], own: string): string | undefined {
  const distinct = [...new Set(domains.map((domain) => domain ?? own))]
  if (distinct.length > 1) {
    throw new NsmError('invalid_argument', 'Cannot search the registry: the query names several domains', {
      fields: { domains: distinct.join(' ') },
      next: 'Ask one domain at a time.',
    })
  }
  return distinct[0] === own ? undefined : distinct[0]
}
