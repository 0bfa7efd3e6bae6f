/** A kind of port of the dataplane: how it is written and read, and what makes two ports the same. */
import type { Payload } from '../api/index.ts'
import type { SocketAddress } from '../net/index.ts'
import type { Attribute, Attributes } from '../netlink/index.ts'

export interface AnyPort {
  readonly id: string
  readonly kind: string
}

/** What a port has from its wire, besides what it has from its end. */
export interface PortPlace {
  readonly id: string
  /** What it has to carry. For a device this is what the tunnel at the other end of the wire carries. */
  readonly payload: Payload
  readonly mtuBytes: number
  /** CIDRs: the inner addresses of this side and of the far side. */
  readonly localPrefixes: readonly string[]
  readonly remotePrefixes: readonly string[]
}

/** A UDP socket of the node, shared by all ports of one kind. */
export interface UnderlaySpec {
  readonly id: string
  /** The kind of its ports. */
  readonly kind: string
  readonly listen: SocketAddress
  /** The X25519 private key with which the node answers handshakes, base64. */
  readonly privateKey?: string
}

/** `Spec` is what the daemon sets, `Status` what the dataplane reports. */
export interface PortKind<Spec extends AnyPort, Status extends AnyPort> {
  /** The names of the kind, and their numbers in the local protocol. */
  readonly kinds: readonly (readonly [Spec['kind'], number])[]
  /** Whether it is a device in a workload's namespace, and not a tunnel. A cross-connect joins one of each. */
  readonly isDevice: boolean
  /** The number of its underlays in the local protocol; absent for devices. */
  readonly underlayNumber?: number
  /** What travels through the port. Both ports of a cross-connect carry the same. */
  carries(port: Spec | Status): Payload
  /** By which the underlay finds the port of a packet, so that no two ports of an underlay share it. */
  packetKey?(spec: Spec): string

  /** @throws {NsmError} `invalid_argument` for what no dataplane accepts */
  check(spec: Spec): void
  /** All attributes but id and kind. */
  encode(spec: Spec): readonly Attribute[]
  /** @throws {NsmError} `internal` for a reply that breaks the protocol */
  decode(named: Pick<Status, 'id' | 'kind'>, attributes: Attributes): Status

  /** What the dataplane reports of a port that it has just made. */
  fresh(spec: Spec): Status
  /** The part of a report that decides whether the port is as wanted: all that does not change by itself. */
  steady(status: Status): Readonly<Record<string, unknown>>
}
