/**
 * The parameters of the WIREGUARD mechanism, and what two nodes agree on by them. The client's forwarder fills in
 * `src`, the server's `dst`. A node of nsmesh initiates each wire with a key of its own (`*_public_key`) and answers all
 * handshakes with its node key (`*_node_public_key`); a foreign peer has one key for both, and leaves out what only we
 * know.
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
 * AEADs that may seal the transport messages between two nodes of nsmesh; the handshake is WireGuard's in any case. What
 * each node may use, and what was taken, travels in requests and answers between nodes whose certificates both have
 * checked: nobody between them can change it, and a packet cannot ask for another.
 */
export const AEADS = ['chacha20poly1305', 'aes256gcm'] as const

export type AeadName = (typeof AEADS)[number]

/** What WireGuard prescribes: every peer has it, and a foreign one has nothing else. */
const WIREGUARD_AEAD: AeadName = 'chacha20poly1305'

/** NSM v1's names, and those that only nsmesh knows. */
const parameter = {
  ...commonParameter,
  srcPublicKey: 'src_public_key',
  dstPublicKey: 'dst_public_key',
  // nsmesh: the key with which a node answers handshakes; a wire initiates with the *_public_key above.
  srcNodeKey: 'src_node_public_key',
  dstNodeKey: 'dst_node_public_key',
  // nsmesh: AEADs that the client's node can, best first ("aes256gcm,chacha20poly1305"), and the one that the server took.
  aeads: 'aeads',
  aead: 'aead',
  // nsmesh: what the client's node would put into the tunnel instead of IP packets ("ETHERNET"), and what the server took.
  payloads: 'payloads',
  payload: 'payload',
  // nsmesh: the version of probe messages that the client's node speaks, and then that the server speaks it too.
  probeMessages: 'path_messages',
} as const

/** How a node is reached. Keys are base64 of 32 bytes. */
export interface WireguardPeer extends SocketAddress {
  readonly publicKey: string
  /** Undefined: a foreign peer, which answers with `publicKey`. */
  readonly nodeKey: string | undefined
}

export interface WireguardParameters {
  readonly src: WireguardPeer | undefined
  readonly dst: WireguardPeer | undefined
  /** What the client's node may use, best first, of what we know; empty for a foreign peer. */
  readonly aeads: readonly AeadName[]
  /** What the server's node took, in its own word: it may be one that we do not know. */
  readonly aead: string | undefined
  /** Whether the client's node would put Ethernet frames into the tunnel: a foreign peer knows IP packets alone. */
  readonly offersFrames: boolean
  /** Whether the server's node took that: nothing else travels then. */
  readonly carriesFrames: boolean
  /** The client's node offers probe messages; in an answer, both nodes speak them. */
  readonly probeMessages: boolean
  readonly mtuBytes: number | undefined
}

/** What nodes of nsmesh agree on beyond WireGuard. An end and its port have it as it is here. */
export interface Terms {
  readonly aead: AeadName
  /** Whether both nodes measure the quality of the link between them by messages inside the tunnel. */
  readonly probeMessages: boolean
}

/** What this node can agree to. */
export interface Abilities {
  /** What the engine can, best first. */
  aeads(): readonly AeadName[]
}

/** Exactly WireGuard, which a foreign peer gets whatever it says. */
export const EXACT_WIREGUARD: Terms = { aead: WIREGUARD_AEAD, probeMessages: false }

/** What upstream's forwarders use when a port is left out. */
const DEFAULT_PORT = 51_820

/** What a node of another version says is not understood, and probe messages are left out. */
const PROBE_MESSAGES_VERSION = '1'

const names = {
  src: { ip: parameter.srcIp, port: parameter.srcPort, key: parameter.srcPublicKey, node: parameter.srcNodeKey },
  dst: { ip: parameter.dstIp, port: parameter.dstPort, key: parameter.dstPublicKey, node: parameter.dstNodeKey },
} as const

/** @throws {NsmError} `invalid_argument` naming the parameter. A peer without a public key is not there yet. */
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

/** Whether a node asks for frames inside WireGuard, which no node but ours does. */
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

/** What a node of ours offers. */
export function offerTerms({ aeads }: Abilities) {
  return { aeads: aeads(), aead: undefined, probeMessages: true }
}

/** What the server's node takes of the offer. */
export function chooseTerms({ src, aeads, probeMessages }: WireguardParameters, our: Abilities): Terms {
  if (src?.nodeKey === undefined) return EXACT_WIREGUARD
  return { aead: negotiateAead(aeads, our.aeads()), probeMessages }
}

/** What the answer of the server's node means. @throws {NsmError} `failed_precondition` for what was not offered */
export function takeTerms({ dst, aead, probeMessages }: WireguardParameters, our: Abilities): Terms {
  if (dst?.nodeKey === undefined) return EXACT_WIREGUARD
  return { aead: checkTaken(aead, our.aeads()), probeMessages }
}

function isAeadName(text: string): text is AeadName {
  return AEADS.some((aead) => aead === text)
}

/** @returns the first of `theirs`, best first, that is one of `ours`; WireGuard's own where there is none. */
export function negotiateAead(theirs: readonly AeadName[], ours: readonly AeadName[]): AeadName {
  return theirs.find((aead) => ours.includes(aead)) ?? WIREGUARD_AEAD
}

/** WireGuard's own needs no offer. */
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
