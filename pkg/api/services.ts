/**
 * The services of the mesh as plain interfaces. A daemon's logic implements or calls these; only `rpc` knows that
 * gRPC carries them. Failures are {@link NsmError}s on both sides.
 */
import type { Connection, ConnectionEvent, ConnectionRequest, MonitorScopeSelector } from './connection.ts'
import type {
  Found,
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceQuery,
} from './registration.ts'

/** Who calls, as proven by its certificate and, on local sockets, by the kernel. Never by what it says. */
export interface Peer {
  readonly spiffeId: string
  /** DER certificates, leaf first: what the peer showed in the TLS handshake. */
  readonly chain: readonly Uint8Array[]
  readonly attestation: Attestation | undefined
}

/** The kernel's record of the process on the other side of a unix socket. */
export interface Attestation {
  readonly connectionId: bigint
  readonly pid: number
  readonly uid: number
  readonly gid: number
  /** `inode://<dev>/<ino>` of its network namespace. */
  readonly namespace: string
  readonly cgroup: string
}

export interface Token {
  readonly jwt: string
  readonly expiresMs: number
}

/**
 * The tokens of a registration's way, first the registrant's: for registries what the path of a connection is for
 * requests. `index` is the segment of the application whose view this is.
 */
export interface RegistrationPath {
  readonly index: number
  readonly tokens: readonly string[]
}

/** What comes with an incoming call beside its message. */
export interface Call {
  readonly peer: Peer
  /** The peer's `nsm-client-token`, not yet verified; undefined when it sent none. */
  readonly token: Token | undefined
  /** Registry calls: the path up to this application, its own token for the caller included. */
  readonly path?: RegistrationPath | undefined
  /** Aborts when the caller went away or its deadline passed. */
  readonly signal: AbortSignal
}

export interface NetworkServiceServer {
  request(request: ConnectionRequest, call: Call): Promise<Connection>
  close(connection: Connection, call: Call): Promise<void>
}

export interface MonitorServer {
  /** Yields one INITIAL_STATE_TRANSFER and then changes until the caller leaves. */
  monitor(selector: MonitorScopeSelector, call: Call): AsyncIterable<ConnectionEvent>
}

/** One of the two registries; T is what it keeps, Q how it is asked. */
export interface RegistryServer<T, Q> {
  register(value: T, call: Call): Promise<T>
  find(query: Q, call: Call): AsyncIterable<Found<T>>
  unregister(value: T, call: Call): Promise<void>
}

export type ServiceRegistryServer = RegistryServer<NetworkService, NetworkServiceQuery>
export type EndpointRegistryServer = RegistryServer<NetworkServiceEndpoint, NetworkServiceEndpointQuery>

/** What goes with an outgoing call. The token for the peer is added by `rpc`. */
export interface Outgoing {
  /** Registry calls on behalf of an incoming one: that call's path. */
  readonly path?: RegistrationPath | undefined
  readonly signal: AbortSignal
}

export interface NetworkServiceClient {
  request(request: ConnectionRequest, call: Outgoing): Promise<Connection>
  close(connection: Connection, call: Outgoing): Promise<void>
}

export interface MonitorClient {
  monitor(selector: MonitorScopeSelector, call: Outgoing): AsyncIterable<ConnectionEvent>
}

export interface RegistryClient<T, Q> {
  register(value: T, call: Outgoing): Promise<T>
  find(query: Q, call: Outgoing): AsyncIterable<Found<T>>
  unregister(value: T, call: Outgoing): Promise<void>
}

export type ServiceRegistryClient = RegistryClient<NetworkService, NetworkServiceQuery>
export type EndpointRegistryClient = RegistryClient<NetworkServiceEndpoint, NetworkServiceEndpointQuery>
