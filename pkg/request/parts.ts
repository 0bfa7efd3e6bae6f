/** What the request chain needs from other rooms, as interfaces: the daemon passes it in. */
import type { Labels, NetworkService, NetworkServiceClient, NetworkServiceEndpoint } from '../api/index.ts'
import type { ConnectionRecord, Target } from '../connections/index.ts'
import type { Host, WireIntent } from '../mechanism/index.ts'
import type { KeptAddress, PrefixExceptions } from '../net/index.ts'
import type { Arrived, Begun, Verified } from '../steps/index.ts'

/** A request that has come through the steps of every chain. */
export type Asking = Arrived & Verified & Begun<ConnectionRecord>

/** This node, as other nodes know it. */
export interface Self extends Host {
  /** Name of its path segments. */
  readonly name: string
  readonly domain: string
  readonly publicUrl: string
  /** Addresses that no wire may take: this node's own, and the registry's. */
  readonly kept: readonly KeptAddress[]
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
  /** @param exceptions what the wire may take from a pod all the same */
  establish(intent: WireIntent, signal: AbortSignal, exceptions: PrefixExceptions): Promise<void>
  remove(id: string, signal: AbortSignal): Promise<void>
}
