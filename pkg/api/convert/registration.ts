import type * as wire from '../gen/registry/registry.ts'
import type {
  Destination,
  Found,
  Match,
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceQuery,
} from '../registration.ts'
import { checkEntries, entries, labels, list, name, required, text, timeMs, timestamp } from './border.ts'

export function serviceFromWire(service: wire.NetworkService): NetworkService {
  return {
    name: name(service.name, 'name'),
    payload: name(service.payload, 'payload'),
    matches: list(service.matches, 'matches', matchFromWire),
    pathIds: list(service.pathIds, 'path_ids', text),
  }
}

export function serviceToWire(service: Partial<NetworkService>): wire.NetworkService {
  return {
    name: service.name ?? '',
    payload: service.payload ?? '',
    matches: (service.matches ?? []).map(matchToWire),
    pathIds: [...(service.pathIds ?? [])],
  }
}

export function endpointFromWire(endpoint: wire.NetworkServiceEndpoint): NetworkServiceEndpoint {
  checkEntries(endpoint.networkServiceLabels, 'network_service_labels')
  const serviceLabels = [...endpoint.networkServiceLabels].map(
    ([service, value]) =>
      [name(service, 'network_service_labels'), labels(value.labels, `network_service_labels[${service}]`)] as const,
  )
  return {
    name: name(endpoint.name, 'name'),
    networkServiceNames: list(endpoint.networkServiceNames, 'network_service_names', name),
    networkServiceLabels: new Map(serviceLabels),
    url: text(endpoint.url, 'url'),
    expiresMs: timeMs(endpoint.expirationTime, 'expiration_time'),
    registeredMs: timeMs(endpoint.initialRegistrationTime, 'initial_registration_time'),
    pathIds: list(endpoint.pathIds, 'path_ids', text),
  }
}

export function endpointToWire(endpoint: Partial<NetworkServiceEndpoint>): wire.NetworkServiceEndpoint {
  const serviceLabels = [...(endpoint.networkServiceLabels ?? [])]
  return {
    name: endpoint.name ?? '',
    networkServiceNames: [...(endpoint.networkServiceNames ?? [])],
    networkServiceLabels: new Map(serviceLabels.map(([service, value]) => [service, { labels: entries(value) }])),
    url: endpoint.url ?? '',
    expirationTime: timestamp(endpoint.expiresMs),
    initialRegistrationTime: timestamp(endpoint.registeredMs),
    pathIds: [...(endpoint.pathIds ?? [])],
  }
}

export function serviceQueryFromWire(query: wire.NetworkServiceQuery): NetworkServiceQuery {
  return { service: given(query.networkService && serviceFromWire(query.networkService)), watch: query.watch }
}

export function serviceQueryToWire(query: NetworkServiceQuery): wire.NetworkServiceQuery {
  return { networkService: serviceToWire(query.service), watch: query.watch }
}

export function endpointQueryFromWire(query: wire.NetworkServiceEndpointQuery): NetworkServiceEndpointQuery {
  const { networkServiceEndpoint: endpoint, watch } = query
  return { endpoint: given(endpoint && endpointFromWire(endpoint)), watch }
}

export function endpointQueryToWire(query: NetworkServiceEndpointQuery): wire.NetworkServiceEndpointQuery {
  return { networkServiceEndpoint: endpointToWire(query.endpoint), watch: query.watch }
}

export function foundServiceFromWire(response: wire.NetworkServiceResponse): Found<NetworkService> {
  return { value: serviceFromWire(required(response.networkService, 'network_service')), deleted: response.deleted }
}

export function foundServiceToWire(found: Found<NetworkService>): wire.NetworkServiceResponse {
  return { networkService: serviceToWire(found.value), deleted: found.deleted }
}

export function foundEndpointFromWire(response: wire.NetworkServiceEndpointResponse): Found<NetworkServiceEndpoint> {
  const endpoint = required(response.networkServiceEndpoint, 'network_service_endpoint')
  return { value: endpointFromWire(endpoint), deleted: response.deleted }
}

export function foundEndpointToWire(found: Found<NetworkServiceEndpoint>): wire.NetworkServiceEndpointResponse {
  return { networkServiceEndpoint: endpointToWire(found.value), deleted: found.deleted }
}

/** Only the fields that say something: in a query the others match everything. */
function given<T extends object>(value: T | undefined): Partial<T> {
  const saying = Object.entries(value ?? {}).filter(([, field]) => !isEmpty(field))
  return Object.fromEntries(saying) as Partial<T>
}

function isEmpty(field: unknown): boolean {
  if (field instanceof Map) return field.size === 0
  return field === undefined || field === '' || (Array.isArray(field) && field.length === 0)
}

function matchFromWire(match: wire.Match, at: string): Match {
  return {
    sourceSelector: labels(match.sourceSelector, `${at}.source_selector`),
    routes: list(match.routes, `${at}.routes`, destinationFromWire),
    fallthrough: match.fallthrough,
    metadata: match.metadata && { labels: labels(match.metadata.labels, `${at}.metadata.labels`) },
  }
}

function matchToWire(match: Match): wire.Match {
  return {
    sourceSelector: entries(match.sourceSelector),
    routes: match.routes.map((route) => ({
      destinationSelector: entries(route.destinationSelector),
      weight: route.weight,
    })),
    fallthrough: match.fallthrough,
    metadata: match.metadata && { labels: entries(match.metadata.labels) },
  }
}

function destinationFromWire(route: wire.Destination, at: string): Destination {
  return {
    destinationSelector: labels(route.destinationSelector, `${at}.destination_selector`),
    weight: route.weight,
  }
}
