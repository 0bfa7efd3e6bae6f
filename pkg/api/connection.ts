/**
 * Connections as domain types: the messages of NSM v1 with defaults filled in, times in milliseconds, and all fields
 * read-only. `convert/` converts them from and to protobuf messages.
 */
import type { ConnectionContext } from './connection-context.ts'

/** How one hop is connected to the next. Keys of `parameters` are in mechanism.ts; values are text or decimals. */
export interface Mechanism {
  readonly cls: string
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
}

export type ConnectionState = 'UP' | 'DOWN' | 'REFRESH_REQUESTED' | 'RESELECT_REQUESTED'

/** One application on the path of a request. */
export interface PathSegment {
  readonly name: string
  /** The id of the connection at that application; stable across refreshes. */
  readonly id: string
  /** The JWT that this application issued to the next one; empty when not known. */
  readonly token: string
  readonly expiresMs: number | undefined
  readonly metrics: Readonly<Record<string, string>>
}

export interface Path {
  /** The segment of the application whose view of the connection this is. */
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
