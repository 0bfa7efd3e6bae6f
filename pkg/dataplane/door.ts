/**
 * The door to nsm-dataplane, implemented over its control socket and by a fake. Objects are named by ids of 1 to 64
 * characters of [A-Za-z0-9._:-]; every set is idempotent.
 */
export interface Endpoint {
  readonly ip: string
  readonly port: number
}

export type Aead = 'chacha20poly1305' | 'aes256gcm'

/** A UDP socket of the node, shared by all ports that use it. */
export interface UnderlaySpec {
  readonly id: string
  readonly kind: 'wireguard' | 'vxlan'
  readonly listen: Endpoint
  /** The node's X25519 private key, 32 bytes: with it the node answers handshakes. WireGuard underlays only. */
  readonly privateKey?: Uint8Array
}

export interface DevicePortSpec {
  readonly id: string
  /** `tun` carries IP packets, `tap` Ethernet frames. */
  readonly kind: 'tun' | 'tap'
  readonly namespace: string
  readonly interfaceName: string
}

export interface WireguardPortSpec {
  readonly id: string
  readonly kind: 'wireguard'
  readonly underlay: string
  /** X25519, 32 bytes: with it this wire initiates handshakes. */
  readonly privateKey: Uint8Array
  readonly peerResponderKey: Uint8Array
  readonly peerInitiatorKey: Uint8Array
  readonly peerEndpoint: Endpoint
  readonly aead: Aead
  /** True: the endpoint follows authenticated packets. Nodes of nsmesh are pinned instead. */
  readonly roaming: boolean
  /** What travels: IP packets between the prefixes, or Ethernet frames, which are held to no addresses. */
  readonly payload: 'IP' | 'ETHERNET'
  /** CIDRs: inner addresses of this side and of the far side. None for Ethernet frames. */
  readonly localPrefixes: readonly string[]
  readonly remotePrefixes: readonly string[]
  readonly mtuBytes: number
  readonly keepaliveSeconds: number
  /** Whether the peer understands path messages: then the engine watches the way to it. */
  readonly pathMessages: boolean
}

export interface VxlanPortSpec {
  readonly id: string
  readonly kind: 'vxlan'
  readonly underlay: string
  readonly vni: number
  readonly peerEndpoint: Endpoint
  readonly mtuBytes: number
}

export type PortSpec = DevicePortSpec | WireguardPortSpec | VxlanPortSpec

/** As the dataplane reports a port; private keys come back as the public ones. */
export type PortStatus =
  | (DevicePortSpec & { readonly ifindex: number })
  | (Omit<WireguardPortSpec, 'privateKey'> & {
      readonly publicKey: Uint8Array
      readonly session: 'idle' | 'handshaking' | 'established' | 'receive-only'
      readonly handshakeAgeMs: number | undefined
    })
  | VxlanPortSpec

/** What the engine knows of the way to another node, by probes inside the tunnel. */
export interface PathStatus {
  readonly peer: Endpoint
  readonly state: 'unknown' | 'up' | 'down'
  /** Smoothed, and the mean deviation of it; 0 before the first answer. */
  readonly rttUs: number
  readonly jitterUs: number
  /** Of the latest probes, how many in a million got lost. */
  readonly lossPpm: number
  /** The longest packet of a wire that passes. */
  readonly mtuBytes: number
  readonly probes: bigint
  readonly lost: bigint
}

export interface WireSpec {
  readonly id: string
  readonly ports: readonly [string, string]
}

export interface DataplaneStatus {
  readonly version: string
  readonly enginePid: number
  readonly engineRestarts: number
  /** Offloads and AEADs as they were probed: `udp_gso` to `on`, `aead` to the name of the implementation. */
  readonly features: ReadonlyMap<string, string>
}

export type DataplaneEvent =
  | { readonly at: 'connected' } // also after a reconnect: what was seen before may be stale
  | { readonly at: 'disconnected' }
  | { readonly at: 'engine-started'; readonly pid: number; readonly restarts: number }
  | { readonly at: 'engine-died'; readonly pid: number; readonly reason: string }
  | { readonly at: 'session-up'; readonly port: string }
  | { readonly at: 'session-down'; readonly port: string; readonly reason: string }
  | { readonly at: 'client-gone'; readonly connectionId: bigint }
  | { readonly at: 'peer-moved'; readonly port: string; readonly endpoint: Endpoint }
  | { readonly at: 'path-down'; readonly peer: Endpoint; readonly reason: string }
  | { readonly at: 'path-up'; readonly peer: Endpoint }
  | { readonly at: 'path-mtu-changed'; readonly peer: Endpoint; readonly mtuBytes: number }

/** Failures: `unavailable` while the dataplane is away, `invalid_argument` for what it refuses, with its sentence. */
export interface Dataplane {
  status(signal: AbortSignal): Promise<DataplaneStatus>
  setUnderlay(spec: UnderlaySpec, signal: AbortSignal): Promise<void>
  ports(signal: AbortSignal): Promise<ReadonlyMap<string, PortStatus>>
  setPort(spec: PortSpec, signal: AbortSignal): Promise<void>
  removePort(id: string, signal: AbortSignal): Promise<void>
  wires(signal: AbortSignal): Promise<ReadonlyMap<string, WireSpec>>
  setWire(spec: WireSpec, signal: AbortSignal): Promise<void>
  removeWire(id: string, signal: AbortSignal): Promise<void>
  /** One per other node that wires go to and that answers path messages. */
  paths(signal: AbortSignal): Promise<readonly PathStatus[]>
  rehandshake(portId: string, signal: AbortSignal): Promise<void>
  /** Port id, or `engine`, or `holder`, to counter name to value. */
  counters(signal: AbortSignal): Promise<ReadonlyMap<string, ReadonlyMap<string, bigint>>>
  subscribe(listener: (event: DataplaneEvent) => void): () => void
}
