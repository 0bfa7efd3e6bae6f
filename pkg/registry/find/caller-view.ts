/**
 * What a caller may see: in our own domain everything, from another domain the services that are exported to it, and the
 * endpoints of those services without their other services; of that, what the policy lets it watch. No caller can tell a service that
 * is not exported to it from one that does not exist.
 */
import { type Call, type NetworkService, type NetworkServiceEndpoint, trustDomainOf } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { type Exports, mayRequest, type PolicySource } from '../../policy/index.ts'

/** What this domain exports, now and as it changes. */
export interface ExportSource {
  current(): Exports
  /** Returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

export interface CallerView {
  /** Whether the caller is one of ours. */
  readonly isWhole: boolean
  /** The services that the caller may see, at this moment; undefined for all. */
  services(): ReadonlySet<string> | undefined
  service(service: NetworkService): NetworkService | undefined
  endpoint(endpoint: NetworkServiceEndpoint): NetworkServiceEndpoint | undefined
  /** The signal aborts when the view changes, or with `signal`; `done` unsubscribes. */
  untilChange(signal: AbortSignal): { readonly signal: AbortSignal; done(): void }
}

export interface ViewOptions {
  readonly domain: string
  readonly exports: ExportSource
  readonly policy: PolicySource
}

/** @throws {NsmError} `unauthenticated` when the caller has no identity. */
export function viewOf({ peer }: Call, { domain: ownDomain, exports, policy }: ViewOptions): CallerView {
  const caller = peer.spiffeId
  const callerDomain = trustDomainOf(caller)
  if (callerDomain === '') {
    throw new NsmError('unauthenticated', 'Cannot search the registry: the caller has no SPIFFE identity')
  }
  const isOwn = callerDomain === ownDomain
  const isVisible = (service: string, endpoint?: string) => {
    const isAllowedByDefault = isOwn || mayRequest({ callerDomain, ownDomain, service, exports: exports.current() })
    const what = endpoint === undefined ? { service } : { service, endpoint }
    return policy.current().decide({ action: 'watch', caller, ...what, isAllowedByDefault }).isAllowed
  }
  return {
    isWhole: isOwn,
    services: () =>
      isOwn ? undefined : new Set([...(exports.current().get(callerDomain) ?? [])].filter((each) => isVisible(each))),
    service: (service) => (isVisible(service.name) ? service : undefined),
    endpoint(endpoint) {
      const { name, networkServiceNames } = endpoint
      const isWhole = isOwn && networkServiceNames.every((service) => isVisible(service, name))
      return isWhole ? endpoint : restrict(endpoint, isVisible)
    },
    untilChange: (signal) => untilChange(signal, isOwn ? [policy] : [policy, exports]),
  }
}

/** What tells of its changes. */
type Changing = Pick<ExportSource, 'subscribe'>

function untilChange(signal: AbortSignal, sources: readonly Changing[]): ReturnType<CallerView['untilChange']> {
  const change = new AbortController()
  const unsubscribe = sources.map((source) => source.subscribe(() => change.abort()))
  const done = () => {
    for (const each of unsubscribe) each()
  }
  return { signal: AbortSignal.any([signal, change.signal]), done }
}

function restrict(
  endpoint: NetworkServiceEndpoint,
  isVisible: (service: string, endpoint: string) => boolean,
): NetworkServiceEndpoint | undefined {
  const isShown = (service: string) => isVisible(service, endpoint.name)
  const networkServiceNames = endpoint.networkServiceNames.filter(isShown)
  if (networkServiceNames.length === 0) return undefined
  const networkServiceLabels = new Map([...endpoint.networkServiceLabels].filter(([service]) => isShown(service)))
  return { ...endpoint, networkServiceNames, networkServiceLabels }
}
