/**
 * What a caller may see. Callers of our own domain see everything. Callers of another domain see the services that are
 * exported to it, and the endpoints of those services without their other services. No caller can tell a service that
 * is not exported to it from one that does not exist.
 */
import { type Call, type NetworkService, type NetworkServiceEndpoint, trustDomainOf } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { type Exports, mayRequest } from '../../policy/index.ts'

/** What this domain exports, now and as it changes. */
export interface ExportSource {
  current(): Exports
  /** Returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

export interface CallerView {
  /** Whether the caller sees everything. */
  readonly isWhole: boolean
  /** The services that the caller may see, at this moment; undefined for all. */
  services(): ReadonlySet<string> | undefined
  service(service: NetworkService): NetworkService | undefined
  endpoint(endpoint: NetworkServiceEndpoint): NetworkServiceEndpoint | undefined
  /** The signal aborts when the view changes, or with `signal`; `done` unsubscribes. */
  untilChange(signal: AbortSignal): { readonly signal: AbortSignal; done(): void }
}

/** @throws {NsmError} `unauthenticated` when the caller has no identity. */
export function viewOf(call: Call, ownDomain: string, exports: ExportSource): CallerView {
  const callerDomain = trustDomainOf(call.peer.spiffeId)
  if (callerDomain === '') {
    throw new NsmError('unauthenticated', 'Cannot search the registry: the caller has no SPIFFE identity')
  }
  return callerDomain === ownDomain ? wholeView : exportedView({ callerDomain, ownDomain, exports })
}

const wholeView: CallerView = {
  isWhole: true,
  services: () => undefined,
  service: (service) => service,
  endpoint: (endpoint) => endpoint,
  untilChange: (signal) => ({ signal, done: () => {} }),
}

interface ExportedViewOptions {
  readonly callerDomain: string
  readonly ownDomain: string
  readonly exports: ExportSource
}

function exportedView({ callerDomain, ownDomain, exports }: ExportedViewOptions): CallerView {
  const isVisible = (service: string) => mayRequest({ callerDomain, ownDomain, service, exports: exports.current() })
  return {
    isWhole: false,
    services: () => exports.current().get(callerDomain) ?? new Set(),
    service: (service) => (isVisible(service.name) ? service : undefined),
    endpoint: (endpoint) => restrict(endpoint, isVisible),
    untilChange(signal) {
      const change = new AbortController()
      const done = exports.subscribe(() => change.abort())
      return { signal: AbortSignal.any([signal, change.signal]), done }
    },
  }
}

function restrict(
  endpoint: NetworkServiceEndpoint,
  isVisible: (service: string) => boolean,
): NetworkServiceEndpoint | undefined {
  const networkServiceNames = endpoint.networkServiceNames.filter(isVisible)
  if (networkServiceNames.length === 0) return undefined
  const networkServiceLabels = new Map([...endpoint.networkServiceLabels].filter(([service]) => isVisible(service)))
  return { ...endpoint, networkServiceNames, networkServiceLabels }
}
