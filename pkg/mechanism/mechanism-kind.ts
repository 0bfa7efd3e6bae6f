/**
 * What a node does with one mechanism, in the order of a wire's life:
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

/** NSM's two classes of mechanisms: LOCAL leads to a workload on the same node, REMOTE to another node. */
export const LOCAL = 'LOCAL'
export const REMOTE = 'REMOTE'

/** Where an end leads: towards the client of the wire, or towards its endpoint. */
export type Role = 'client' | 'server'

/**
 * One side of a wire on this node. It is the same object from the moment when it is agreed until the dataplane has its
 * port, and it is plain JSON, because it is stored.
 */
export interface AnyEnd {
  /** The mechanism that made it. */
  readonly kind: string
  readonly role: Role
}

/** An interface in the network namespace of a workload on this node. */
export interface WorkloadInterface {
  /** `inode://<dev>/<ino>` */
  readonly namespace: string
  readonly interfaceName: string
  /** CIDRs that the interface has. */
  readonly addresses: readonly string[]
  readonly routes: readonly { readonly prefix: string; readonly via: string | undefined }[]
  readonly policies: readonly PolicyRoute[]
}

/** What the mechanisms need to know of this node. */
export interface Host {
  /** `inode://<dev>/<ino>` of the network namespace of the node itself, which no client gets. */
  readonly hostNamespace: string
  readonly tunnel: Tunnel
}

/** What this node has for tunnels to other nodes. */
export interface Tunnel extends Abilities {
  /** At which other nodes reach it. */
  readonly ip: string
  /** To which its sockets are bound: behind a NAT another one, and perhaps every address of the machine. */
  readonly listenIp: string
  /** UDP ports by kind of mechanism. The node neither offers nor accepts a mechanism without a port. */
  readonly ports: Readonly<Partial<Record<string, number>>>
  /** MTU of the network between the nodes. */
  readonly mtuBytes: number
  readonly nodeKey: WireKey
}

/** What a refresh keeps of an end: its names, numbers and keys. */
export interface Standing {
  readonly mechanism: Mechanism | undefined
  readonly wireKey: string | undefined
}

interface Around {
  readonly host: Host
  readonly before: Standing
  /** `inode://<dev>/<ino>` of the workload that the end leads to, from the kernel; undefined if it leads to a node. */
  readonly namespace: string | undefined
}

/** The circumstances of an offer of the previous hop. */
export interface Asked extends Around {
  readonly networkService: string
  /** Whether another connection of this node has claimed the number, see {@link MechanismKind.claim}. */
  isTaken(number: number): boolean
}

/** The circumstances of an offer to the next hop. */
export interface Wanted extends Around {
  readonly payload: Payload
}

/** An end, with what its neighbour and this node have agreed about the wire. */
export interface AgreedEnd<End extends AnyEnd = AnyEnd> {
  readonly end: End
  /** The mechanism in the answer to the previous hop, or in the answer of the next hop. */
  readonly mechanism: Mechanism
  /** The only payload that it carries; undefined if it carries packets and frames alike. */
  readonly payload: Payload | undefined
  /** The largest packet that fits; undefined if this end sets no limit. */
  readonly maxMtuBytes: number | undefined
  /** The X25519 private key with which this end initiates handshakes, base64; undefined if it has none. */
  readonly wireKey: string | undefined
}

/** One mechanism in an offer to the next hop. */
export interface Proposal<End extends AnyEnd = AnyEnd> {
  readonly mechanism: Mechanism
  /** @throws {NsmError} when the answer cannot be joined */
  join(answered: Mechanism, networkService: string): AgreedEnd<End>
  /** Another proposal, if the answer shows that this one does not suit the peer. */
  instead?(answered: Mechanism): Proposal<End> | undefined
}

/** Whether packets pass both ways, as far as the dataplane has seen. */
export type Verdict = 'unknown' | 'up' | 'down'

/** An end as people see it. A text is empty if the mechanism has no such thing. */
export interface EndView {
  /** NSM's name of the mechanism. */
  readonly mechanism: string
  readonly interface: string
  readonly namespace: string
  /** The other node; undefined if the end is an interface. */
  readonly peer: SocketAddress | undefined
  readonly aead: string
  readonly session: string
  readonly handshakeAgeMs: number | undefined
  /** What was seen of its session, and if it is down, why; `unknown` for an end without a session. */
  readonly verdict: Verdict
  readonly reason: string
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
  verdict: 'unknown',
  reason: '',
  isProbed: false,
}

/** One mechanism. Its methods get the ends, ports and offers of this mechanism alone. */
export interface MechanismKind<End extends AnyEnd, Spec extends AnyPort, Status extends AnyPort> {
  readonly kind: End['kind']
  readonly cls: typeof LOCAL | typeof REMOTE
  /** NSM's name. */
  readonly type: string
  /** What every implementation of the mechanism carries, not only ours. */
  readonly payloads: readonly Payload[]
  /** What an operator does to allow it, if it is off by default. */
  readonly toAllow?: string

  /** The end that leads to the previous hop. @throws {NsmError} if the offer is invalid or not allowed */
  accept(offered: Mechanism, asked: Asked): AgreedEnd<End>
  offer(wanted: Wanted): Proposal<End>
  /**
   * Whether only nodes of nsmesh understand the offer. Such an offer comes last, because a foreign node takes the first
   * one that it knows; our nodes prefer it to all others.
   */
  isForOursAlone?(offered: Mechanism): boolean
  /** A number that no two connections of this node may share. */
  claim?(mechanism: Mechanism): number | undefined

  /** Whether the agreement with the neighbour of that end has this node where it is now. Absent where it has no address. */
  isAgreedHere?(agreed: Mechanism, role: Role, tunnel: Tunnel): boolean

  /** Adds what is known only after the endpoint has answered. */
  complete?(end: End, context: ConnectionContext): End
  /** The interface in a workload's namespace, for ends that are one. */
  workload?(end: End): WorkloadInterface
  plan(end: End, place: PortPlace): Spec
  readonly port: PortKind<Spec, Status>
  /** The UDP socket that its ports share. Absent for mechanisms that have none. */
  underlay?(tunnel: Tunnel): UnderlaySpec
  /** Whether its ports have sessions, which a handshake renews. */
  readonly hasSession: boolean
  /** Whether two ends of one wire have the same session: the same keys, wherever the peer is. */
  isSameSession?(one: End, other: End): boolean

  view(end: End, status: Status | undefined): EndView
}
