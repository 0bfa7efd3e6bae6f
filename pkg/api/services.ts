/**
 * The services of the mesh as plain interfaces, which the logic of the daemons implements and calls. Only `rpc` knows
 * that gRPC carries them. Failures are {@link NsmError}s on both sides.
 */
import type { Connection, ConnectionEvent, ConnectionRequest, MonitorScopeSelector } from './connection.ts'
import type {
  Found,
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceQuery,
} from './registration.ts'

/** The caller, as authenticated by its certificate and, on local sockets, by the kernel; never by its messages. */
export interface Peer {
  readonly spiffeId: string
  /**
   * The DER certificates that the peer presented in the TLS handshake, leaf first. It has the key of the leaf; who
   * issued them has been verified only if there is a SPIFFE ID.
   */
  readonly chain: readonly Uint8Array[]
  readonly attestation: Attestation | undefined
  /** Whether the connection on which it called is still open. Absent where nobody can say. */
  readonly isConnected?: () => boolean
  /** When its identity ends, or has ended, for the methods that decide themselves about that. */
  readonly expiresMs?: number
}

/** The kernel's record of the process at the other end of a unix socket. */
export interface Attestation {
  /** Unique during the lifetime of the holder. */
  readonly connectionId: bigint
  readonly pid: number
  /** In the user namespace of the node. */
  readonly uid: number
  readonly gid: number
  /** The network namespace of the process, `inode://<dev>/<ino>`. */
  readonly namespace: string
  /** Inode numbers of its other namespaces; 0 when the holder is too old to tell them. */
  readonly pidNamespace: bigint
  readonly userNamespace: bigint
  readonly mountNamespace: bigint
  /** The path of its cgroup; may be empty. */
  readonly cgroup: string
  /** The uid of its pod; empty: it is in none. */
  readonly pod: string
  /**
   * Whom limits count it for, which it cannot make more of, unlike namespaces and names: `pod/<uid>`, `uid/<n>` (in a
   * user namespace, the user who made that), or `unit/<cgroup>` for a container of root.
   */
  readonly account: string
  /** Whether it is a process of the node itself: in its user, pid and network namespaces, and in no pod of others. */
  readonly isNodesOwn: boolean
}

export interface Token {
  readonly jwt: string
  readonly expiresMs: number
}

/** What a path token is for. It counts in no other request. */
export interface TokenBinding {
  /** The id of the connection at the application that asks. */
  readonly connection: string
  /** The network service, as the application that is asked spells it. */
  readonly service: string
}

/**
 * The path of a registration: the tokens of all applications that it passed, the registrant's first. `index` is the
 * segment of the application whose view this is.
 */
export interface RegistrationPath {
  readonly index: number
  readonly tokens: readonly string[]
}

/** The context of an incoming call. */
export interface Call {
  readonly peer: Peer
  /** The peer's `nsm-client-token`, not yet verified; undefined when it sent none. */
  readonly token: Token | undefined
  /** How far the caller's clock is ahead of ours, by its word, in milliseconds. Absent where it has not said. */
  readonly saidAheadMs?: number
  /** The same as far as it is followed, which a large difference is not. Absent: not at all. */
  readonly aheadMs?: number
  /** For registry calls: the path up to this application, including our own token for the caller. */
  readonly path?: RegistrationPath | undefined
  /** Aborts when the caller disconnects or its deadline passes. */
  readonly signal: AbortSignal
}

export interface NetworkServiceServer {
  request(request: ConnectionRequest, call: Call): Promise<Connection>
  close(connection: Connection, call: Call): Promise<void>
}

export interface MonitorServer {
  /** Yields one INITIAL_STATE_TRANSFER, then each change until the caller disconnects. */
  monitor(selector: MonitorScopeSelector, call: Call): AsyncIterable<ConnectionEvent>
}

/** One of the two registries. T is the type of its records, Q that of its queries. */
export interface RegistryServer<T, Q> {
  register(value: T, call: Call): Promise<T>
  find(query: Q, call: Call): AsyncIterable<Found<T>>
  unregister(value: T, call: Call): Promise<void>
}

export type ServiceRegistryServer = RegistryServer<NetworkService, NetworkServiceQuery>
export type EndpointRegistryServer = RegistryServer<NetworkServiceEndpoint, NetworkServiceEndpointQuery>

/** The context of an outgoing call. `rpc` adds the token for the peer. */
export interface Outgoing {
  /** For calls about a connection: what their token is for. Without it, the token counts on no path. */
  readonly binding?: TokenBinding
  /** For registry calls on behalf of an incoming call: the path of that call. */
  readonly path?: RegistrationPath | undefined
  /**
   * For a stream without an end, whose reader opens it again: it ends with a `StreamRenewal` when calls go over another
   * connection from now on, before this one is closed.
   */
  readonly isEndless?: boolean
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
