/** What the request chain needs from the rest of the daemon: passed in, so that it can be joined to anything. */
import type {
  Call,
  Connection,
  ConnectionRequest,
  NetworkService,
  NetworkServiceClient,
  NetworkServiceEndpoint,
  Path,
  Token,
  WireIntent,
} from '../api/index.ts'
import type { AeadName, WireKey } from '../tunnel/index.ts'

/** This node's ends of tunnels. */
export interface Tunnel {
  readonly ip: string
  readonly port: number
  /** Of the network between nodes. */
  readonly mtuBytes: number
  /** Undefined: plaintext wires are refused. */
  readonly vxlanPort: number | undefined
  readonly nodeKey: WireKey
  /** What the engine can, best first. */
  aeads(): readonly AeadName[]
}

/** This node, as its neighbours know it. */
export interface Self {
  /** Name of its path segments. */
  readonly name: string
  readonly domain: string
  readonly publicUrl: string
  /** `inode://<dev>/<ino>` of the network namespace of the node itself, which is never given to a client. */
  readonly hostNamespace: string
  readonly tunnel: Tunnel
}

export interface PathTokens {
  /** A token of this node for `audience`, a SPIFFE ID. */
  issue(audience: string): Promise<Token>
  /**
   * Verifies the tokens of all segments up to `path.index`: not expired, chained, the caller's one signed by it.
   * @returns the SPIFFE IDs that are proven, the client's first.
   * @throws {NsmError} `permission_denied` or `unauthenticated`
   */
  verify(path: Path, call: Call): Promise<readonly string[]>
}

/** What the domain's registry, and those of joined domains, know. Failures: `not_found`, or `unavailable`. */
export interface Directory {
  service(name: string, signal: AbortSignal): Promise<NetworkService>
  /** All that serve `service` and have not expired. */
  endpoints(service: string, signal: AbortSignal): Promise<readonly NetworkServiceEndpoint[]>
  endpoint(name: string, signal: AbortSignal): Promise<NetworkServiceEndpoint>
}

/** Where a request goes next. */
export type Target =
  | { readonly at: 'endpoint'; readonly endpoint: string; readonly url: string; readonly owner: string }
  /** `domain` is empty for nodes of our own. */
  | { readonly at: 'node'; readonly endpoint: string; readonly url: string; readonly domain: string }

export interface Hop {
  readonly client: NetworkServiceClient
  /** Who answers there, as its certificate proves. */
  readonly spiffeId: string
  /** `inode://<dev>/<ino>` of a local endpoint, from the kernel; undefined for nodes. */
  readonly namespace: string | undefined
}

export interface NextHops {
  connect(target: Target, signal: AbortSignal): Promise<Hop>
}

/** Makes wires real and keeps them so. */
export interface Forwarding {
  establish(intent: WireIntent, signal: AbortSignal): Promise<void>
  remove(id: string, signal: AbortSignal): Promise<void>
}

/** A request as `rpc` hands it over. */
export interface Incoming {
  readonly request: ConnectionRequest
  readonly call: Call
}

/** What {@link Incoming} becomes once the path is followed: `connection` is this node's view of it. */
export interface Arrived {
  readonly connection: Connection
}
