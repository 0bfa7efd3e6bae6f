/**
 * Conversions of IP addresses. Messages carry them as canonical text (RFC 5952), packets and netlink as 4 or 16 bytes
 * in network order, and arithmetic uses bigints.
 */
import { NsmError } from '../base/index.ts'

export type IpFamily = 4 | 6

const V6_GROUPS = 8

/** @throws {NsmError} `invalid_argument` unless `text` is an IPv4 address, or an IPv6 address without a zone */
export function parseIp(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseV6(text) : parseV4(text)
  if (bytes === undefined) {
    throw new NsmError('invalid_argument', 'Cannot parse the IP address: it is neither IPv4 nor IPv6', {
      fields: { address: text.slice(0, 64) },
    })
  }
  return bytes
}

export function isIp(text: string): boolean {
  return (text.includes(':') ? parseV6(text) : parseV4(text)) !== undefined
}

/**
 * @param bytes 4 or 16 bytes in network order
 * @throws {NsmError} `invalid_argument` for another length
 * @see RFC 5952
 */
export function formatIp(bytes: Uint8Array): string {
  if (ipFamily(bytes) === 4) return bytes.join('.')
  const groups = Array.from({ length: V6_GROUPS }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  if (isV4Mapped(groups)) return `::ffff:${bytes.subarray(12).join('.')}`
  return compressV6(groups.map((group) => group.toString(16)))
}

/** The canonical text of an address, so that equal addresses are equal strings. */
export function normalizeIp(text: string): string {
  return formatIp(parseIp(text))
}

export function ipFamily(bytes: Uint8Array): IpFamily {
  if (bytes.length === 4) return 4
  if (bytes.length === 16) return 6
  throw new NsmError('invalid_argument', 'Cannot format the IP address: it has neither 4 nor 16 bytes', {
    fields: { bytes: bytes.length },
  })
}

export function ipToBigint(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** @throws {NsmError} `invalid_argument` when `value` is out of the range of the family */
export function bigintToIp(value: bigint, family: IpFamily): Uint8Array {
  const length = family === 4 ? 4 : 16
  if (value < 0n || value >> BigInt(8 * length) !== 0n) {
    throw new NsmError('invalid_argument', 'Cannot convert the number to an IP address: it is out of range', {
      fields: { value, family },
    })
  }
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn))
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  // Some parsers read a number with a leading zero as octal, others as decimal.
  const isOctet = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255
  return parts.length === 4 && parts.every(isOctet) ? Uint8Array.from(parts, Number) : undefined
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [readGroups(halves[0] ?? ''), readGroups(halves[1] ?? '')]
  if (head === undefined || tail === undefined) return undefined
  const zeros = V6_GROUPS - head.length - tail.length
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined
  const groups = [...head, ...new Array<number>(zeros).fill(0), ...tail]
  // A dotted quad is allowed only at the very end: 1.2.3.4:: is not an address.
  if (halves.length === 2 && (halves[0] ?? '').includes('.')) return undefined
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

/** Parses the groups on one side of `::`. A dotted quad at the end counts as two. */
function readGroups(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const quad = last.includes('.') ? parseV4(last) : undefined
  const hex = quad === undefined ? parts : parts.slice(0, -1)
  if (!hex.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined
  const groups = hex.map((part) => Number.parseInt(part, 16))
  const [a = 0, b = 0, c = 0, d = 0] = quad ?? []
  return quad === undefined ? groups : [...groups, (a << 8) | b, (c << 8) | d]
}

/** Replaces the longest run of two or more zero groups by `::`; of equally long runs the first. */
function compressV6(groups: readonly string[]): string {
  let best = { start: 0, length: 1 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.length < 2) return groups.join(':')
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}

function isV4Mapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
}
