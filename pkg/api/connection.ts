/**
 * Connections as the daemons think of them: NSM v1's messages with defaults filled in, times in milliseconds,
 * and nothing that a caller could change afterwards. `convert` turns wire messages into these and back.
 */
import type { ConnectionContext } from './connection-context.ts'

/** How one hop is joined to the next: `parameters` are decimal or text values, keys in mechanism.ts. */
export interface Mechanism {
  readonly cls: string
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
}

export type ConnectionState = 'UP' | 'DOWN' | 'REFRESH_REQUESTED' | 'RESELECT_REQUESTED'

/** One application on the way of a request. */
export interface PathSegment {
  readonly name: string
  /** The connection's id at that application: stable across refreshes. */
  readonly id: string
  /** JWT that this application gave to the next one; empty when not known. */
  readonly token: string
  readonly expiresMs: number | undefined
  readonly metrics: Readonly<Record<string, string>>
}

export interface Path {
  /** Whose view this is: the segment of the application that holds the connection. */
  readonly index: number
  readonly segments: readonly PathSegment[]
}

export type Labels = Readonly<Record<string, string>>

export interface Connection {
  readonly id: string
  readonly networkService: string
  readonly mechanism: Mechanism | undefined
  readonly context: ConnectionContext
  readonly labels: Labels
  readonly path: Path
  /** Empty until an endpoint is chosen. */
  readonly endpointName: string
  /** `IP`, `ETHERNET`, or empty until the network service is known. */
  readonly payload: string
  readonly state: ConnectionState
}

export interface ConnectionRequest {
  readonly connection: Connection
  readonly mechanismPreferences: readonly Mechanism[]
}

export type ConnectionEventType = 'INITIAL_STATE_TRANSFER' | 'UPDATE' | 'DELETE'

export interface ConnectionEvent {
  readonly type: ConnectionEventType
  readonly connections: ReadonlyMap<string, Connection>
}

export interface MonitorScopeSelector {
  readonly pathSegments: readonly { readonly name: string; readonly id: string; readonly token: string }[]
  readonly networkServices: readonly string[]
}
