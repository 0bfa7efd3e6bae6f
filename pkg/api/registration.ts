/** What a registry keeps: network services and the endpoints that serve them. */
import type { Labels } from './connection.ts'

export interface Destination {
  readonly destinationSelector: Labels
  readonly weight: number
}

export interface Match {
  readonly sourceSelector: Labels
  readonly routes: readonly Destination[]
  readonly fallthrough: boolean
  /** Labels that a forwarder must have; undefined where the match says nothing about forwarders. */
  readonly metadata: { readonly labels: Labels } | undefined
}

export interface NetworkService {
  readonly name: string
  readonly payload: string
  readonly matches: readonly Match[]
  /** SPIFFE IDs of the registration's path; the first is the owner. */
  readonly pathIds: readonly string[]
}

export interface NetworkServiceEndpoint {
  readonly name: string
  readonly networkServiceNames: readonly string[]
  /** Service name to labels of this endpoint for that service. */
  readonly networkServiceLabels: ReadonlyMap<string, Labels>
  readonly url: string
  readonly expiresMs: number | undefined
  readonly registeredMs: number | undefined
  readonly pathIds: readonly string[]
}

/** Empty fields match everything; names are exact, service names a subset, labels equal where given, url contained. */
export interface NetworkServiceQuery {
  readonly service: Partial<NetworkService>
  readonly watch: boolean
}

export interface NetworkServiceEndpointQuery {
  readonly endpoint: Partial<NetworkServiceEndpoint>
  readonly watch: boolean
}

/** One answer of a Find. In a watch the present state comes first, then each change. */
export interface Found<T> {
  readonly value: T
  readonly deleted: boolean
}
