/** What a kind of port of the dataplane is, for the codec of the local protocol and for who compares ports. */
import type { Payload } from '../api/index.ts'
import type { SocketAddress } from '../net/index.ts'
import type { Attribute, Attributes } from '../netlink/index.ts'

export interface AnyPort {
  readonly id: string
  readonly kind: string
}

/** What the wire says of a port, beside its end. */
export interface PortPlace {
  readonly id: string
  /** What it is to carry: a device, what the tunnel that it is joined to carries. */
  readonly payload: Payload
  readonly mtuBytes: number
  /** CIDRs: inner addresses of this side and of the far side. */
  readonly localPrefixes: readonly string[]
  readonly remotePrefixes: readonly string[]
}

/** A UDP socket of the node, shared by all ports that use it. */
export interface UnderlaySpec {
  readonly id: string
  /** As its ports. */
  readonly kind: string
  readonly listen: SocketAddress
  /** The node's X25519 private key, base64: with it the node answers handshakes. */
  readonly privateKey?: string
}

/** `Spec` is what is set, `Status` what the dataplane reports. */
export interface PortKind<Spec extends AnyPort, Status extends AnyPort> {
  /** Names, and their numbers in the local protocol. */
  readonly kinds: readonly (readonly [Spec['kind'], number])[]
  /** A device is in a workload's namespace, a tunnel leads to another node: a cross-connect joins one to the other. */
  readonly isDevice: boolean
  /** The number of its underlays; absent for devices. */
  readonly underlayNumber?: number
  /** Both ports of a cross-connect carry the same. */
  carries(port: Spec | Status): Payload
  /** By what an underlay finds the port of a packet: no two of its ports have the same. */
  packetKey?(spec: Spec): string

  /** @throws {NsmError} `invalid_argument` for what no dataplane takes */
  check(spec: Spec): void
  /** All but id and kind. */
  encode(spec: Spec): readonly Attribute[]
  /** @throws {NsmError} `internal` for what the protocol does not allow */
  decode(named: Pick<Status, 'id' | 'kind'>, attributes: Attributes): Status

  /** What the dataplane reports of a port that was just made. */
  fresh(spec: Spec): Status
  /** What of a report decides whether the port is as wanted: nothing that changes by itself. */
  steady(status: Status): Readonly<Record<string, unknown>>
}
