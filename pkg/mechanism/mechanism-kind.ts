/**
 * All that a node does with one mechanism, in the order of a wire's life:
 *
 *     previous hop --offers--> accept --.                   .--> complete --> plan --> port (dataplane) --> view
 *                                        +--> end, and end -+
 *     next hop <--offer, answers--> join -'
 *
 * The request chain, forwarding and the dataplane's door go through the list in mechanisms.ts and name no mechanism.
 */
import type { ConnectionContext, Mechanism, Payload, PolicyRoute } from '../api/index.ts'
import type { SocketAddress } from '../net/index.ts'
import type { WireKey } from './key.ts'
import type { AnyPort, PortKind, PortPlace, UnderlaySpec } from './port-kind.ts'
import type { Abilities } from './wireguard/agreement.ts'

/** NSM's two classes of mechanisms: to a workload of the same node, and to another node. */
export const LOCAL = 'LOCAL'
export const REMOTE = 'REMOTE'

/** What is at an end: who asked for the wire, or who serves it. */
export type Role = 'client' | 'server'

/**
 * One side of a wire on this node, from the moment it is agreed until the dataplane has its port. Plain JSON: it lives
 * in the store.
 */
export interface AnyEnd {
  /** Which mechanism made it. */
  readonly kind: string
  readonly role: Role
}

/** An interface in the network namespace of a workload on this node. */
export interface WorkloadInterface {
  /** `inode://<dev>/<ino>` */
  readonly namespace: string
  readonly interfaceName: string
  /** CIDRs of this side. */
  readonly addresses: readonly string[]
  readonly routes: readonly { readonly prefix: string; readonly via: string | undefined }[]
  readonly policies: readonly PolicyRoute[]
}

/** This node, as its mechanisms need to know it. */
export interface Host {
  /** `inode://<dev>/<ino>` of the network namespace of the node itself, which is never given to a client. */
  readonly hostNamespace: string
  readonly tunnel: Tunnel
}

/** What this node has for tunnels to other nodes. */
export interface Tunnel extends Abilities {
  readonly ip: string
  /** UDP ports by kind of mechanism. A mechanism without one is neither offered nor accepted. */
  readonly ports: Readonly<Partial<Record<string, number>>>
  /** Of the network between nodes. */
  readonly mtuBytes: number
  readonly nodeKey: WireKey
}

/** What of an end is kept for its refresh: names, numbers and keys stay. */
export interface Standing {
  readonly mechanism: Mechanism | undefined
  readonly wireKey: string | undefined
}

interface Around {
  readonly host: Host
  readonly before: Standing
  /** `inode://<dev>/<ino>` of the workload at the other side, from the kernel; undefined where it is a node. */
  readonly namespace: string | undefined
}

/** Around an offer of the previous hop. */
export interface Asked extends Around {
  readonly networkService: string
  /** Whether another connection of this node has the number, see {@link MechanismKind.claim}. */
  isTaken(number: number): boolean
}

/** What an offer to the next hop is made for. */
export interface Wanted extends Around {
  readonly payload: Payload
  /** Address of the next node; empty where the next hop is a workload. */
  readonly peerIp: string
}

/** An end, and what was agreed about the wire with the neighbour at that side. */
export interface AgreedEnd<End extends AnyEnd = AnyEnd> {
  readonly end: End
  /** As it is answered to the previous hop, or as the next hop answered it. */
  readonly mechanism: Mechanism
  /** All that it carries; undefined where it takes packets and frames alike. */
  readonly payload: Payload | undefined
  /** The largest packet that fits; undefined where this end sets no limit. */
  readonly mostMtuBytes: number | undefined
  /** X25519 private key with which this end initiates, base64; undefined for ends without one. */
  readonly wireKey: string | undefined
}

/** One mechanism as it is offered to the next hop. */
export interface Proposal<End extends AnyEnd = AnyEnd> {
  readonly mechanism: Mechanism
  /** @throws {NsmError} when the answer cannot be joined */
  join(answered: Mechanism, networkService: string): AgreedEnd<End>
  /** What to propose instead, where the answer shows a peer that this was not made for. */
  instead?(answered: Mechanism): Proposal<End> | undefined
}

/** An end as people see it: a text is empty where the mechanism has no such thing. */
export interface EndView {
  /** NSM's name of the mechanism. */
  readonly mechanism: string
  readonly interface: string
  readonly namespace: string
  /** The other node; undefined where the end is an interface. */
  readonly peer: SocketAddress | undefined
  readonly aead: string
  readonly session: string
  readonly handshakeAgeMs: number | undefined
  /** Whether the engine measures the quality of the link to `peer`. */
  readonly isProbed: boolean
}

export const EMPTY_VIEW: Omit<EndView, 'mechanism'> = {
  interface: '',
  namespace: '',
  peer: undefined,
  aead: '',
  session: '',
  handshakeAgeMs: undefined,
  isProbed: false,
}

/** Methods are given nothing but their own mechanism's ends, ports and offers. */
export interface MechanismKind<End extends AnyEnd, Spec extends AnyPort, Status extends AnyPort> {
  readonly kind: End['kind']
  readonly cls: typeof LOCAL | typeof REMOTE
  /** NSM's name. */
  readonly type: string
  /** What any implementation of the mechanism carries, not only ours. */
  readonly payloads: readonly Payload[]
  /** How an operator allows it, where it is off by default. */
  readonly toAllow?: string

  /** The end that leads to the previous hop. @throws {NsmError} when the offer makes no sense or may not be */
  accept(offered: Mechanism, asked: Asked): AgreedEnd<End>
  offer(wanted: Wanted): Proposal<End>
  /**
   * Whether only nodes of nsmesh understand the offer. It stands behind all others, because a foreign node takes the
   * first that it knows; a node of ours takes it before all others.
   */
  isForOursAlone?(offered: Mechanism): boolean
  /** The number that no other connection of this node may have. */
  claim?(mechanism: Mechanism): number | undefined

  /** The end with what is known only when the endpoint has answered. */
  complete?(end: End, context: ConnectionContext): End
  /** Where the end is an interface in a workload's namespace. */
  workload?(end: End): WorkloadInterface
  plan(end: End, place: PortPlace): Spec
  readonly port: PortKind<Spec, Status>
  /** The UDP socket that its ports share. */
  underlay?(tunnel: Tunnel): UnderlaySpec
  /** Whether its ports have sessions, which handshakes renew. */
  readonly hasSession: boolean

  view(end: End, status: Status | undefined): EndView
}
