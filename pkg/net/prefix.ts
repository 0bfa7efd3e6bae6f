/** Prefixes in CIDR notation. Host bits are kept, so that `10.0.0.7/24` is also an address; `network` clears them. */
import { NsmError } from '../base/index.ts'
import { bigintToIp, formatIp, type IpFamily, ipFamily, ipToBigint, parseIp } from './ip.ts'

export interface Prefix {
  readonly family: IpFamily
  /** 4 or 16 bytes in network order, host bits included. */
  readonly address: Uint8Array
  readonly length: number
}

/** @throws {NsmError} `invalid_argument` unless `text` is `<ip>/<length>` with a length that is valid for the family */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/')
  const length = /^(0|[1-9]\d{0,2})$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Number.NaN
  if (slash < 0 || Number.isNaN(length)) throw badPrefix(text, 'it is not <ip>/<length>')
  const address = parseIp(text.slice(0, slash))
  if (length > 8 * address.length) throw badPrefix(text, 'the length exceeds that of the address')
  return { family: ipFamily(address), address, length }
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${formatIp(address)}/${length}`
}

/** The prefix that contains only this address: `172.16.1.1` becomes `172.16.1.1/32`. */
export function hostPrefix(ip: string): Prefix {
  const address = parseIp(ip)
  return { family: ipFamily(address), address, length: 8 * address.length }
}

/** The canonical text of a prefix with its host bits, as it is configured on an interface. */
export function normalizePrefix(text: string): string {
  return formatPrefix(parsePrefix(text))
}

/** The same prefix with all host bits zero, as in a route. */
export function network({ family, address, length }: Prefix): Prefix {
  const hostBits = BigInt(8 * address.length - length)
  return { family, address: bigintToIp((ipToBigint(address) >> hostBits) << hostBits, family), length }
}

export function contains(prefix: Prefix, ip: Uint8Array): boolean {
  if (ip.length !== prefix.address.length) return false
  const hostBits = BigInt(8 * ip.length - prefix.length)
  return ipToBigint(ip) >> hostBits === ipToBigint(prefix.address) >> hostBits
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.length <= b.length ? contains(a, b.address) : contains(b, a.address)
}

function badPrefix(text: string, reason: string): NsmError {
  return new NsmError('invalid_argument', `Cannot parse the prefix: ${reason}`, {
    fields: { prefix: text.slice(0, 64) },
  })
}
