/**
 * The door to nsm-dataplane, implemented over its control socket and by a fake. Objects are named by ids of 1 to 64
 * characters of [A-Za-z0-9._:-]; every set is idempotent.
 */
import type { PortSpec, PortStatus, UnderlaySpec } from '../mechanism/index.ts'
import type { SocketAddress } from '../net/index.ts'

/** What passes between this node and another, by probes inside the tunnel. */
export interface LinkQuality {
  readonly peer: SocketAddress
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

/** Two ports joined: what one receives, the other sends. */
export interface CrossConnect {
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
  | { readonly at: 'peer-moved'; readonly port: string; readonly peer: SocketAddress }
  | { readonly at: 'link-quality-down'; readonly peer: SocketAddress; readonly reason: string }
  | { readonly at: 'link-quality-up'; readonly peer: SocketAddress }
  | { readonly at: 'path-mtu-changed'; readonly peer: SocketAddress; readonly mtuBytes: number }
  /** No process is left in a pinned namespace, and no client is connected from there. Said again after a reconnect. */
  | { readonly at: 'namespace-empty'; readonly namespace: string }

/** Failures: `unavailable` while the dataplane is away, `invalid_argument` for what it refuses, with its sentence. */
export interface Dataplane {
  status(signal: AbortSignal): Promise<DataplaneStatus>
  setUnderlay(spec: UnderlaySpec, signal: AbortSignal): Promise<void>
  ports(signal: AbortSignal): Promise<ReadonlyMap<string, PortStatus>>
  setPort(spec: PortSpec, signal: AbortSignal): Promise<void>
  removePort(id: string, signal: AbortSignal): Promise<void>
  crossConnects(signal: AbortSignal): Promise<ReadonlyMap<string, CrossConnect>>
  setCrossConnect(spec: CrossConnect, signal: AbortSignal): Promise<void>
  removeCrossConnect(id: string, signal: AbortSignal): Promise<void>
  /** One per other node that wires go to and that answers probe messages. */
  linkQuality(signal: AbortSignal): Promise<readonly LinkQuality[]>
  rehandshake(portId: string, signal: AbortSignal): Promise<void>
  /** Port id, or `engine`, or `holder`, to counter name to value. */
  counters(signal: AbortSignal): Promise<ReadonlyMap<string, ReadonlyMap<string, bigint>>>
  subscribe(listener: (event: DataplaneEvent) => void): () => void
}
