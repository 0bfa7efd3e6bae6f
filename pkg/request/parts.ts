/** What the request chain needs from other rooms, as interfaces: the daemon passes it in. */
import type { Labels, NetworkService, NetworkServiceClient, NetworkServiceEndpoint, WireIntent } from '../api/index.ts'
import type { ConnectionRecord, Target } from '../connections/index.ts'
import type { Arrived, Begun, Verified } from '../steps/index.ts'
import type { AeadName, WireKey } from '../tunnel/index.ts'

/** A request that has come through the steps of every chain. */
export type Asking = Arrived & Verified & Begun<ConnectionRecord> & { readonly expiresMs: number }

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

/** This node, as other nodes know it. */
export interface Self {
  /** Name of its path segments. */
  readonly name: string
  readonly domain: string
  readonly publicUrl: string
  /** `inode://<dev>/<ino>` of the network namespace of the node itself, which is never given to a client. */
  readonly hostNamespace: string
  readonly tunnel: Tunnel
}

/** What the domain's registry and those of joined domains know. Fails with `not_found` or `unavailable`. */
export interface Directory {
  service(name: string, signal: AbortSignal): Promise<NetworkService>
  /** The endpoints to which the service's matches lead a client with `labels`. */
  matching(asked: ServiceForClient, signal: AbortSignal): Promise<readonly NetworkServiceEndpoint[]>
  endpoint(name: string, signal: AbortSignal): Promise<NetworkServiceEndpoint>
}

export interface ServiceForClient {
  readonly service: string
  readonly labels: Labels
}

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
