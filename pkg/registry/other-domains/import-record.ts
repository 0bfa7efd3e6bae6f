/**
 * Turns a record of another domain's registry into one of ours. Its names get `@domain`, so that no record there can
 * pass for one here; the domain is the one that we asked, whatever the record says. Records that break our rules are
 * refused.
 */
import { type NetworkService, type NetworkServiceEndpoint, trustDomainOf } from '../../api/index.ts'
import { qualifyName } from '../../base/index.ts'
import { isReachableUrl, type Reach } from '../../net/index.ts'
import { checkEndpoint, checkService } from '../rules/limits.ts'

/** Longest life of a record of another domain, whatever it claims. */
const LONGEST_LIFE_MS = 10 * 60_000

export interface Origin {
  readonly domain: string
  readonly nowMs: number
  /** Which addresses our nodes call. */
  readonly reach: Reach
}

/** @returns undefined when the record breaks our rules. */
export function importService({ domain }: Origin, service: NetworkService): NetworkService | undefined {
  if (!passes(() => checkService(service))) return undefined
  return { ...service, name: qualifyName(service.name, domain), pathIds: ownIds(service.pathIds, domain) }
}

/** @returns undefined when the record breaks our rules. */
export function importEndpoint(origin: Origin, endpoint: NetworkServiceEndpoint): NetworkServiceEndpoint | undefined {
  const { domain, nowMs, reach } = origin
  if (!passes(() => checkEndpoint(endpoint)) || !isReachableUrl(endpoint.url, reach)) return undefined
  const maxMs = nowMs + LONGEST_LIFE_MS
  return {
    ...endpoint,
    name: qualifyName(endpoint.name, domain),
    networkServiceNames: endpoint.networkServiceNames.map((name) => qualifyName(name, domain)),
    networkServiceLabels: new Map(
      [...endpoint.networkServiceLabels].map(([name, labels]) => [qualifyName(name, domain), labels]),
    ),
    expiresMs: Math.min(endpoint.expiresMs ?? maxMs, maxMs),
    pathIds: ownIds(endpoint.pathIds, domain),
  }
}

/** A domain may only speak for identities of its own. */
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
