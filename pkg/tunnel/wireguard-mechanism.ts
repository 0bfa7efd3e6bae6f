/**
 * Parameters of the WIREGUARD mechanism. The client's forwarder fills in `src`, the server's `dst`. A node of nsmesh
 * initiates each wire with a key of its own (`*_public_key`) and answers all handshakes with its node key
 * (`*_node_public_key`); a foreign peer has one key for both, and leaves out what only we know.
 */
import { parameter } from '../api/index.ts'
import { type AeadName, isAeadName } from './aead.ts'
import { own, type Parameters, readIp, readKey, readMtu, readPort, writeParameters } from './parameters.ts'

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
  readonly mtuBytes: number | undefined
}

/** What upstream's forwarders use when a port is left out. */
export const DEFAULT_WIREGUARD_PORT = 51_820

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
    mtuBytes: readMtu(parameters, parameter.mtu),
  }
}

export function writeWireguard({ src, dst, aeads, aead, mtuBytes }: WireguardMechanism): Record<string, string> {
  return writeParameters({
    ...writeSide(src, names.src),
    ...writeSide(dst, names.dst),
    [parameter.aeads]: aeads.length === 0 ? undefined : aeads.join(','),
    [parameter.aead]: aead,
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
