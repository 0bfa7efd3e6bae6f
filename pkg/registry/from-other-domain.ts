/**
 * What another domain's registry answers, made ours: names get `@domain`, so that nothing there can look like
 * something here; the domain is the one we asked, whatever the answer says. What breaks our rules is dropped.
 */
import { type NetworkService, type NetworkServiceEndpoint, trustDomainOf } from '../api/index.ts'
import { checkEndpoint, checkService } from './limits.ts'
import { joinName } from './names.ts'

/** Longest life of a record of another domain, whatever it claims. */
const LONGEST_LIFE_MS = 10 * 60_000

export interface Origin {
  readonly domain: string
  readonly nowMs: number
  acceptsUrl(url: string): boolean
}

/** @returns undefined when the answer breaks our rules. */
export function serviceFrom({ domain }: Origin, service: NetworkService): NetworkService | undefined {
  if (!passes(() => checkService(service))) return undefined
  return { ...service, name: joinName(service.name, domain), pathIds: ownIds(service.pathIds, domain) }
}

/** @returns undefined when the answer breaks our rules. */
export function endpointFrom(origin: Origin, endpoint: NetworkServiceEndpoint): NetworkServiceEndpoint | undefined {
  const { domain, nowMs } = origin
  if (!passes(() => checkEndpoint(endpoint)) || !origin.acceptsUrl(endpoint.url)) return undefined
  const mostMs = nowMs + LONGEST_LIFE_MS
  return {
    ...endpoint,
    name: joinName(endpoint.name, domain),
    networkServiceNames: endpoint.networkServiceNames.map((name) => joinName(name, domain)),
    networkServiceLabels: new Map(
      [...endpoint.networkServiceLabels].map(([name, labels]) => [joinName(name, domain), labels]),
    ),
    expiresMs: Math.min(endpoint.expiresMs ?? mostMs, mostMs),
    pathIds: ownIds(endpoint.pathIds, domain),
  }
}

/** A domain speaks for its own identities only. */
function ownIds(pathIds: readonly string[], domain: string): readonly string[] {
  return pathIds.filter((id) => trustDomainOf(id) === domain)
}

function passes(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
