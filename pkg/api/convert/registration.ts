import type * as proto from '../gen/registry/registry.ts'
import type {
  Destination,
  Found,
  Match,
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceQuery,
} from '../registration.ts'
import { checkEntries, entries, labels, list, name, required, text, timeMs, timestamp } from './field-checks.ts'

export function serviceFromProto(service: proto.NetworkService): NetworkService {
  return {
    name: name(service.name, 'name'),
    payload: name(service.payload, 'payload'),
    matches: list(service.matches, 'matches', matchFromProto),
    pathIds: list(service.pathIds, 'path_ids', text),
  }
}

export function serviceToProto(service: Partial<NetworkService>): proto.NetworkService {
  return {
    name: service.name ?? '',
    payload: service.payload ?? '',
    matches: (service.matches ?? []).map(matchToProto),
    pathIds: [...(service.pathIds ?? [])],
  }
}

export function endpointFromProto(endpoint: proto.NetworkServiceEndpoint): NetworkServiceEndpoint {
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
    ...(endpoint.claim === '' ? {} : { claim: text(endpoint.claim, 'claim') }),
  }
}

export function endpointToProto(endpoint: Partial<NetworkServiceEndpoint>): proto.NetworkServiceEndpoint {
  const serviceLabels = [...(endpoint.networkServiceLabels ?? [])]
  return {
    name: endpoint.name ?? '',
    networkServiceNames: [...(endpoint.networkServiceNames ?? [])],
    networkServiceLabels: new Map(serviceLabels.map(([service, value]) => [service, { labels: entries(value) }])),
    url: endpoint.url ?? '',
    expirationTime: timestamp(endpoint.expiresMs),
    initialRegistrationTime: timestamp(endpoint.registeredMs),
    pathIds: [...(endpoint.pathIds ?? [])],
    claim: endpoint.claim ?? '',
  }
}

export function serviceQueryFromProto(query: proto.NetworkServiceQuery): NetworkServiceQuery {
  return { service: setFields(query.networkService && serviceFromProto(query.networkService)), watch: query.watch }
}

export function serviceQueryToProto(query: NetworkServiceQuery): proto.NetworkServiceQuery {
  return { networkService: serviceToProto(query.service), watch: query.watch }
}

export function endpointQueryFromProto(query: proto.NetworkServiceEndpointQuery): NetworkServiceEndpointQuery {
  const { networkServiceEndpoint: endpoint, watch } = query
  return { endpoint: setFields(endpoint && endpointFromProto(endpoint)), watch }
}

export function endpointQueryToProto(query: NetworkServiceEndpointQuery): proto.NetworkServiceEndpointQuery {
  return { networkServiceEndpoint: endpointToProto(query.endpoint), watch: query.watch }
}

export function foundServiceFromProto(response: proto.NetworkServiceResponse): Found<NetworkService> {
  return { value: serviceFromProto(required(response.networkService, 'network_service')), deleted: response.deleted }
}

export function foundServiceToProto(found: Found<NetworkService>): proto.NetworkServiceResponse {
  return { networkService: serviceToProto(found.value), deleted: found.deleted }
}

export function foundEndpointFromProto(response: proto.NetworkServiceEndpointResponse): Found<NetworkServiceEndpoint> {
  const endpoint = required(response.networkServiceEndpoint, 'network_service_endpoint')
  return { value: endpointFromProto(endpoint), deleted: response.deleted }
}

export function foundEndpointToProto(found: Found<NetworkServiceEndpoint>): proto.NetworkServiceEndpointResponse {
  return { networkServiceEndpoint: endpointToProto(found.value), deleted: found.deleted }
}

/** Keeps only the fields that are set: in a query, an empty field matches everything. */
function setFields<T extends object>(value: T | undefined): Partial<T> {
  const set = Object.entries(value ?? {}).filter(([, field]) => !isEmpty(field))
  return Object.fromEntries(set) as Partial<T>
}

function isEmpty(field: unknown): boolean {
  if (field instanceof Map) return field.size === 0
  return field === undefined || field === '' || (Array.isArray(field) && field.length === 0)
}

function matchFromProto(match: proto.Match, at: string): Match {
  return {
    sourceSelector: labels(match.sourceSelector, `${at}.source_selector`),
    routes: list(match.routes, `${at}.routes`, destinationFromProto),
    fallthrough: match.fallthrough,
    metadata: match.metadata && { labels: labels(match.metadata.labels, `${at}.metadata.labels`) },
  }
}

function matchToProto(match: Match): proto.Match {
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

function destinationFromProto(route: proto.Destination, at: string): Destination {
  return {
    destinationSelector: labels(route.destinationSelector, `${at}.destination_selector`),
    weight: route.weight,
  }
}
