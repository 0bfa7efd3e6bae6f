/**
 * The parameters of the WIREGUARD mechanism, and what two nodes agree on by them. The client's node fills in `src`, the
 * endpoint's node `dst`. A node of nsmesh initiates each wire with a key of its own (`*_public_key`) and answers all
 * handshakes with its node key (`*_node_public_key`). A foreign peer has one key for both, and none of nsmesh's own
 * parameters.
 */
import { isPayload, PAYLOAD_ETHERNET, PAYLOAD_IP } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import type { SocketAddress } from '../../net/index.ts'
import {
  commonParameter,
  own,
  type Parameters,
  readIp,
  readKey,
  readMtu,
  readPort,
  refuse,
  writeParameters,
} from '../parameters.ts'

/**
 * The AEADs for transport messages between two nodes of nsmesh; the handshake is always WireGuard's. The nodes negotiate
 * the AEAD in requests and answers, after each has checked the other's certificate: nobody between them can change it,
 * and no packet can ask for another one.
 */
export const AEADS = ['chacha20poly1305', 'aes256gcm'] as const

export type AeadName = (typeof AEADS)[number]

/** The AEAD that WireGuard prescribes. Every peer has it, and a foreign peer has no other. */
const WIREGUARD_AEAD: AeadName = 'chacha20poly1305'

/** The names of NSM v1, and those of nsmesh. */
const parameter = {
  ...commonParameter,
  srcPublicKey: 'src_public_key',
  dstPublicKey: 'dst_public_key',
  // nsmesh: the key with which a node answers handshakes; a wire initiates with the *_public_key above.
  srcNodeKey: 'src_node_public_key',
  dstNodeKey: 'dst_node_public_key',
  // nsmesh: the AEADs of the client's node, best first ("aes256gcm,chacha20poly1305"), and the one that the server took.
  aeads: 'aeads',
  aead: 'aead',
  // nsmesh: what the client's node wants to send instead of IP packets ("ETHERNET"), and what the server took.
  payloads: 'payloads',
  payload: 'payload',
  // nsmesh: the version of probe messages that the client's node speaks; in the answer, that the server speaks it too.
  probeMessages: 'path_messages',
} as const

/** The address and the keys of a node. Keys are base64 of 32 bytes. */
export interface WireguardPeer extends SocketAddress {
  readonly publicKey: string
  /** Undefined for a foreign peer, which answers with `publicKey`. */
  readonly nodeKey: string | undefined
}

export interface WireguardParameters {
  readonly src: WireguardPeer | undefined
  readonly dst: WireguardPeer | undefined
  /** What the client's node may use, best first, without AEADs that we do not know; empty for a foreign peer. */
  readonly aeads: readonly AeadName[]
  /** What the server's node took, as it wrote it: it may be an AEAD that we do not know. */
  readonly aead: string | undefined
  /** Whether the client's node wants to send Ethernet frames. A foreign peer sends IP packets only. */
  readonly offersFrames: boolean
  /** Whether the server's node has agreed to that. Then only frames travel. */
  readonly carriesFrames: boolean
  /** In an offer: the client's node speaks probe messages. In an answer: both nodes do. */
  readonly probeMessages: boolean
  readonly mtuBytes: number | undefined
}

/** What nodes of nsmesh agree on beyond WireGuard. An end and its port have the terms under the same names. */
export interface Terms {
  readonly aead: AeadName
  /** Whether both nodes measure the link quality between them by messages inside the tunnel. */
  readonly probeMessages: boolean
}

/** What this node can agree to. */
export interface Abilities {
  /** The AEADs of the engine, best first. */
  aeads(): readonly AeadName[]
}

/** Exactly WireGuard. A foreign peer gets this, whatever it asks for. */
export const EXACT_WIREGUARD: Terms = { aead: WIREGUARD_AEAD, probeMessages: false }

/** The port that upstream's forwarders use if the parameter is absent. */
const DEFAULT_PORT = 51_820

/** Nodes with different versions do without probe messages. */
const PROBE_MESSAGES_VERSION = '1'

const names = {
  src: { ip: parameter.srcIp, port: parameter.srcPort, key: parameter.srcPublicKey, node: parameter.srcNodeKey },
  dst: { ip: parameter.dstIp, port: parameter.dstPort, key: parameter.dstPublicKey, node: parameter.dstNodeKey },
} as const

/** @throws {NsmError} `invalid_argument` naming the parameter. A peer without a public key is absent. */
export function readWireguard(parameters: Parameters): WireguardParameters {
  return {
    src: readPeer(parameters, names.src),
    dst: readPeer(parameters, names.dst),
    aeads: (own(parameters, parameter.aeads) ?? '').split(',').filter(isAeadName),
    aead: own(parameters, parameter.aead),
    offersFrames: offersFrames(parameters),
    carriesFrames: readPayload(parameters) === PAYLOAD_ETHERNET,
    probeMessages: own(parameters, parameter.probeMessages) === PROBE_MESSAGES_VERSION,
    mtuBytes: readMtu(parameters),
  }
}

/** Whether a node asks for frames inside WireGuard. Only nodes of nsmesh do. */
export function offersFrames(parameters: Parameters): boolean {
  return (own(parameters, parameter.payloads) ?? '').split(',').includes(PAYLOAD_ETHERNET)
}

export function writeWireguard(values: WireguardParameters): Record<string, string> {
  const { src, dst, aeads, aead, offersFrames, carriesFrames, probeMessages, mtuBytes } = values
  return writeParameters({
    ...writePeer(src, names.src),
    ...writePeer(dst, names.dst),
    [parameter.aeads]: aeads.length === 0 ? undefined : aeads.join(','),
    [parameter.aead]: aead,
    [parameter.payloads]: offersFrames ? PAYLOAD_ETHERNET : undefined,
    [parameter.payload]: carriesFrames ? PAYLOAD_ETHERNET : undefined,
    [parameter.probeMessages]: probeMessages ? PROBE_MESSAGES_VERSION : undefined,
    [parameter.mtu]: mtuBytes,
  })
}

/** What this node offers. */
export function offerTerms({ aeads }: Abilities) {
  return { aeads: aeads(), aead: undefined, probeMessages: true }
}

/** What this node, as the server, takes of the offer. */
export function chooseTerms({ src, aeads, probeMessages }: WireguardParameters, our: Abilities): Terms {
  if (src?.nodeKey === undefined) return EXACT_WIREGUARD
  return { aead: negotiateAead(aeads, our.aeads()), probeMessages }
}

/** What the server's node has taken of our offer. @throws {NsmError} `failed_precondition` for what was not offered */
export function takeTerms({ dst, aead, probeMessages }: WireguardParameters, our: Abilities): Terms {
  if (dst?.nodeKey === undefined) return EXACT_WIREGUARD
  return { aead: checkTaken(aead, our.aeads()), probeMessages }
}

function isAeadName(text: string): text is AeadName {
  return AEADS.some((aead) => aead === text)
}

/** @returns the first of `theirs`, best first, that is also one of `ours`; if there is none, WireGuard's own. */
export function negotiateAead(theirs: readonly AeadName[], ours: readonly AeadName[]): AeadName {
  return theirs.find((aead) => ours.includes(aead)) ?? WIREGUARD_AEAD
}

/** WireGuard's own AEAD needs no offer. */
function checkTaken(taken: string | undefined, offered: readonly AeadName[]): AeadName {
  if (taken === undefined || taken === WIREGUARD_AEAD) return WIREGUARD_AEAD
  if (isAeadName(taken) && offered.includes(taken)) return taken
  throw new NsmError('failed_precondition', 'Cannot seal the wire: the other node chose what we did not offer', {
    fields: { aead: taken.slice(0, 64) },
  })
}

type PeerNames = (typeof names)[keyof typeof names]

function readPeer(parameters: Parameters, peer: PeerNames): WireguardPeer | undefined {
  if (own(parameters, peer.key) === undefined) return undefined
  return {
    ip: readIp(parameters, peer.ip),
    port: readPort(parameters, peer.port, DEFAULT_PORT),
    publicKey: readKey(parameters, peer.key),
    nodeKey: own(parameters, peer.node) === undefined ? undefined : readKey(parameters, peer.node),
  }
}

function writePeer(peer: WireguardPeer | undefined, names: PeerNames): Record<string, string | number | undefined> {
  if (peer === undefined) return {}
  return { [names.ip]: peer.ip, [names.port]: peer.port, [names.key]: peer.publicKey, [names.node]: peer.nodeKey }
}

function readPayload(parameters: Parameters): string {
  const text = own(parameters, parameter.payload) ?? PAYLOAD_IP
  return isPayload(text) ? text : refuse(parameter.payload, text, 'it is neither IP nor ETHERNET')
}
