/** The records of a registry: network services, and the endpoints that serve them. */
import type { Labels } from './connection.ts'

export interface Destination {
  readonly destinationSelector: Labels
  readonly weight: number
}

export interface Match {
  readonly sourceSelector: Labels
  readonly routes: readonly Destination[]
  readonly fallthrough: boolean
  /** Labels that a forwarder must have; undefined when the match does not restrict forwarders. */
  readonly metadata: { readonly labels: Labels } | undefined
}

export interface NetworkService {
  readonly name: string
  readonly payload: string
  readonly matches: readonly Match[]
  /** The SPIFFE IDs on the path of the registration; the first one is the owner. */
  readonly pathIds: readonly string[]
}

export interface NetworkServiceEndpoint {
  readonly name: string
  readonly networkServiceNames: readonly string[]
  /** Labels of this endpoint, by the name of the service that they apply to. */
  readonly networkServiceLabels: ReadonlyMap<string, Labels>
  readonly url: string
  readonly expiresMs: number | undefined
  readonly registeredMs: number | undefined
  readonly pathIds: readonly string[]
  /** The registry's word that the owner had this name; absent where there is none. */
  readonly claim?: string
}

/**
 * Empty fields match everything. Names must be equal, service names a subset, the given labels equal, and the URL a
 * substring.
 */
export interface NetworkServiceQuery {
  readonly service: Partial<NetworkService>
  readonly watch: boolean
}

export interface NetworkServiceEndpointQuery {
  readonly endpoint: Partial<NetworkServiceEndpoint>
  readonly watch: boolean
}

/** One result of a Find. A watch yields the current records first, then each change. */
export interface Found<T> {
  readonly value: T
  readonly deleted: boolean
}
