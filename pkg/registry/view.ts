/**
 * What a caller may see. Callers of our domain see everything; callers of another one see the services exported to
 * their domain, and endpoints of those services with the other services left out. No caller can tell a service that
 * is not exported to it from one that does not exist.
 */
import { type Call, type NetworkService, type NetworkServiceEndpoint, trustDomainOf } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type Exports, mayRequest } from '../policy/index.ts'

/** The exports of this domain, and word of their changes. */
export interface ExportSource {
  current(): Exports
  /** Returns how to stop. */
  subscribe(listener: () => void): () => void
}

export interface View {
  readonly isWhole: boolean
  service(service: NetworkService): NetworkService | undefined
  endpoint(endpoint: NetworkServiceEndpoint): NetworkServiceEndpoint | undefined
  /** Aborts when what may be seen has changed, or with `signal`; `done` lets go of the subscription. */
  untilChange(signal: AbortSignal): { readonly signal: AbortSignal; done(): void }
}

/** @throws {NsmError} `unauthenticated` when the caller has no identity. */
export function viewOf(call: Call, domain: string, exports: ExportSource): View {
  const callerDomain = trustDomainOf(call.peer.spiffeId)
  if (callerDomain === '') {
    throw new NsmError('unauthenticated', 'Cannot search the registry: the caller has no SPIFFE identity')
  }
  return callerDomain === domain ? wholeView : exportedView({ callerDomain, ownDomain: domain, exports })
}

const wholeView: View = {
  isWhole: true,
  service: (service) => service,
  endpoint: (endpoint) => endpoint,
  untilChange: (signal) => ({ signal, done: () => {} }),
}

interface Foreigner {
  readonly callerDomain: string
  readonly ownDomain: string
  readonly exports: ExportSource
}

function exportedView({ callerDomain, ownDomain, exports }: Foreigner): View {
  const isVisible = (service: string) => mayRequest({ callerDomain, ownDomain, service, exports: exports.current() })
  return {
    isWhole: false,
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
