/**
 * Parameters of the WIREGUARD mechanism. The client's forwarder fills in `src`, the server's `dst`. A node of nsmesh
 * initiates each wire with a key of its own (`*_public_key`) and answers all handshakes with its node key
 * (`*_node_public_key`); a foreign peer has one key for both, and leaves out what only we know.
 */
import { PAYLOAD_ETHERNET, PAYLOAD_IP, parameter } from '../api/index.ts'
import { type AeadName, isAeadName } from './aead.ts'
import { own, type Parameters, readIp, readKey, readMtu, readPort, refuse, writeParameters } from './parameters.ts'

/** Keys are base64 of 32 bytes. */
export interface WireguardSide {
  readonly ip: string
  readonly port: number
  readonly publicKey: string
  /** Undefined: a foreign peer, which answers with `publicKey`. */
  readonly nodeKey: string | undefined
}

export interface WireguardMechanism {
  readonly src: WireguardSide | undefined
  readonly dst: WireguardSide | undefined
  /** What the client's side may use, best first, of what we know; empty for a foreign peer. */
  readonly aeads: readonly AeadName[]
  /** What the server's side took, in its own word: it may be one that we do not know. */
  readonly aead: string | undefined
  /** Whether the client's side would put Ethernet frames into the tunnel: a foreign peer knows IP packets alone. */
  readonly offersFrames: boolean
  /** Whether the server's side took that: nothing else travels then. */
  readonly carriesFrames: boolean
  /** The client's side offers path messages; in an answer, both sides speak them. */
  readonly pathMessages: boolean
  readonly mtuBytes: number | undefined
}

/** What upstream's forwarders use when a port is left out. */
export const DEFAULT_WIREGUARD_PORT = 51_820

/** What a node of another version says is not understood, and path messages are left out. */
const PATH_MESSAGES_VERSION = '1'

const names = {
  src: { ip: parameter.srcIp, port: parameter.srcPort, key: parameter.srcPublicKey, node: parameter.srcNodeKey },
  dst: { ip: parameter.dstIp, port: parameter.dstPort, key: parameter.dstPublicKey, node: parameter.dstNodeKey },
} as const

/** @throws {NsmError} `invalid_argument` naming the parameter. A side without a public key is not there yet. */
export function readWireguard(parameters: Parameters): WireguardMechanism {
  return {
    src: readSide(parameters, names.src),
    dst: readSide(parameters, names.dst),
    aeads: (own(parameters, parameter.aeads) ?? '').split(',').filter(isAeadName),
    aead: own(parameters, parameter.aead),
    offersFrames: offersFrames(parameters),
    carriesFrames: readPayload(parameters) === PAYLOAD_ETHERNET,
    pathMessages: own(parameters, parameter.pathMessages) === PATH_MESSAGES_VERSION,
    mtuBytes: readMtu(parameters, parameter.mtu),
  }
}

/** Whether a node asks for frames inside WireGuard, which no node but ours does. */
export function offersFrames(parameters: Parameters): boolean {
  return (own(parameters, parameter.payloads) ?? '').split(',').includes(PAYLOAD_ETHERNET)
}

export function writeWireguard(mechanism: WireguardMechanism): Record<string, string> {
  const { src, dst, aeads, aead, offersFrames, carriesFrames, pathMessages, mtuBytes } = mechanism
  return writeParameters({
    ...writeSide(src, names.src),
    ...writeSide(dst, names.dst),
    [parameter.aeads]: aeads.length === 0 ? undefined : aeads.join(','),
    [parameter.aead]: aead,
    [parameter.payloads]: offersFrames ? PAYLOAD_ETHERNET : undefined,
    [parameter.payload]: carriesFrames ? PAYLOAD_ETHERNET : undefined,
    [parameter.pathMessages]: pathMessages ? PATH_MESSAGES_VERSION : undefined,
    [parameter.mtu]: mtuBytes,
  })
}

type SideNames = (typeof names)[keyof typeof names]

function readSide(parameters: Parameters, side: SideNames): WireguardSide | undefined {
  if (own(parameters, side.key) === undefined) return undefined
  return {
    ip: readIp(parameters, side.ip),
    port: readPort(parameters, side.port, DEFAULT_WIREGUARD_PORT),
    publicKey: readKey(parameters, side.key),
    nodeKey: own(parameters, side.node) === undefined ? undefined : readKey(parameters, side.node),
  }
}

function writeSide(side: WireguardSide | undefined, names: SideNames): Record<string, string | number | undefined> {
  if (side === undefined) return {}
  return { [names.ip]: side.ip, [names.port]: side.port, [names.key]: side.publicKey, [names.node]: side.nodeKey }
}

function readPayload(parameters: Parameters): string {
  const text = own(parameters, parameter.payload) ?? PAYLOAD_IP
  if (text === PAYLOAD_IP || text === PAYLOAD_ETHERNET) return text
  return refuse(parameter.payload, text, 'it is neither IP nor ETHERNET')
}
