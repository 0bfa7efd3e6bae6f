/**
 * Whether a record matches a query, by NSM's rules: an empty field matches everything, names match exactly, service
 * names as a subset, labels where the query has them, the URL as a substring; path ids are never compared.
 */
import { isDeepStrictEqual } from 'node:util'
import type { NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'

export function matchesService(query: Partial<NetworkService>, service: NetworkService): boolean {
  return (
    isEmptyOr(query.name, service.name) &&
    isEmptyOr(query.payload, service.payload) &&
    ((query.matches ?? []).length === 0 || isDeepStrictEqual(query.matches, service.matches))
  )
}

export function matchesEndpoint(query: Partial<NetworkServiceEndpoint>, endpoint: NetworkServiceEndpoint): boolean {
  return (
    isEmptyOr(query.name, endpoint.name) &&
    (query.networkServiceNames ?? []).every((name) => endpoint.networkServiceNames.includes(name)) &&
    endpoint.url.includes(query.url ?? '') &&
    hasLabels(query, endpoint) &&
    // In seconds: some callers keep no more of the time that they were given.
    (query.expiresMs === undefined || seconds(query.expiresMs) === seconds(endpoint.expiresMs))
  )
}

function isEmptyOr(wanted: string | undefined, actual: string): boolean {
  return wanted === undefined || wanted === '' || wanted === actual
}

function hasLabels(query: Partial<NetworkServiceEndpoint>, endpoint: NetworkServiceEndpoint): boolean {
  return [...(query.networkServiceLabels ?? [])].every(([service, wanted]) => {
    const actual = endpoint.networkServiceLabels.get(service) ?? {}
    return Object.entries(wanted).every(([key, value]) => Object.hasOwn(actual, key) && actual[key] === value)
  })
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}
