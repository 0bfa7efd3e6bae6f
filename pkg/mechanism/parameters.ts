/** Reads and writes single mechanism parameters, which are texts in NSM's messages. Errors name the parameter. */
import type { Mechanism } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { ipFamily, isIp, MAX_MTU_BYTES, MAX_PORT, normalizeIp, parseIp, reachFrom } from '../net/index.ts'
import { isWireKey, keyBytes } from './key.ts'

export type Parameters = Mechanism['parameters']

/** NSM v1's names of parameters that several mechanisms have. */
export const commonParameter = {
  srcIp: 'src_ip',
  dstIp: 'dst_ip',
  srcPort: 'src_port',
  dstPort: 'dst_port',
  mtu: 'MTU',
} as const

export function readIp(parameters: Parameters, name: string): string {
  const text = required(parameters, name)
  return isIp(text) ? normalizeIp(text) : refuse(name, text, 'it is no IP address')
}

/** @param fallback the port that upstream's forwarders mean if the parameter is absent */
export function readPort(parameters: Parameters, name: string, fallback: number): number {
  return readNumber(parameters, name, { min: 1, max: MAX_PORT }) ?? fallback
}

export function readMtu(parameters: Parameters): number | undefined {
  const mtuBytes = readNumber(parameters, commonParameter.mtu, { min: 0, max: MAX_MTU_BYTES })
  return mtuBytes === 0 ? undefined : mtuBytes
}

/**
 * The other end of a tunnel is on another machine: an address that means something else on each would turn the tunnel on
 * ourselves, or on a service of the machine. And a socket reaches addresses of one family.
 * @param own the address of this node's tunnels
 * @throws {NsmError} `invalid_argument`
 */
export function checkPeer<T extends { readonly ip: string }>(peer: T, own: { readonly ip: string }): T {
  if (!reachFrom([own.ip])(peer.ip)) refuse('ip', peer.ip, 'no other machine can have it')
  if (isIpv6(peer.ip) === isIpv6(own.ip)) return peer
  const [theirs, ours] = [peer, own].map(({ ip }) => (isIpv6(ip) ? 'IPv6' : 'IPv4'))
  return refuse('ip', peer.ip, `it is an ${theirs} address, and the tunnels of this node have ${ours} (NSM_TUNNEL_IP)`)
}

function isIpv6(ip: string): boolean {
  return ipFamily(parseIp(ip)) === 6
}

/** A decimal number; undefined when the parameter is absent or empty. */
export function readNumber(
  parameters: Parameters,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const text = own(parameters, name)
  if (text === undefined) return undefined
  const value = /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN
  const isInRange = value >= range.min && value <= range.max
  return isInRange ? value : refuse(name, text, `it is no number from ${range.min} to ${range.max}`)
}

/** An X25519 public key: base64 of exactly 32 bytes, not all zero. Returned in its one canonical spelling. */
export function readKey(parameters: Parameters, name: string): string {
  const text = required(parameters, name)
  if (!isWireKey(text)) refuse(name, text, 'it is no base64 of 32 bytes')
  return keyBytes(text).some((byte) => byte !== 0) ? text : refuse(name, text, 'it is all zero')
}

/** The value; undefined if the parameter is absent, empty, or no property of the map itself. */
export function own(parameters: Parameters, name: string): string | undefined {
  const text = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  return text === '' ? undefined : text
}

function required(parameters: Parameters, name: string): string {
  return own(parameters, name) ?? refuse(name, '', 'it is missing')
}

export function refuse(parameter: string, value: string, reason: string): never {
  throw new NsmError('invalid_argument', `Cannot read a mechanism parameter: ${reason}`, {
    fields: { parameter, value: value.slice(0, 64) },
  })
}

/** Leaves out what is undefined and writes the rest as text. */
export function writeParameters(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )
}
