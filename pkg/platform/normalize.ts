/** Converts each spec to its canonical form, so that desired and observed specs can be compared as values. */
import { NsmError } from '../base/index.ts'
import {
  formatPrefix,
  hostPrefix,
  type IpFamily,
  isIp,
  MAX_PORT,
  network,
  normalizeIp,
  normalizeMac,
  normalizePrefix,
  type Prefix,
  parseIp,
  parsePrefix,
} from '../net/index.ts'
import type { PortRange } from '../netlink/index.ts'
import type { AddressSpec, NeighbourSpec, RouteSpec, RuleSpec } from './doors.ts'

const MAX_TABLE = 2 ** 32 - 1
const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132 }

export function normalizeAddress(spec: AddressSpec): AddressSpec {
  return { ...spec, address: normalizePrefix(spec.address) }
}

/** @throws {NsmError} `invalid_argument`, also when the gateway and the prefix are of different IP families */
export function normalizeRoute(spec: RouteSpec): RouteSpec {
  const prefix = network(readPrefix(spec.prefix))
  const via = spec.via === undefined ? undefined : normalizeIp(spec.via)
  if (via !== undefined && parseIp(via).length !== prefix.address.length) {
    throw new NsmError(
      'invalid_argument',
      'Cannot use the route: its gateway and its prefix are of different IP families',
      {
        fields: { prefix: spec.prefix, via },
      },
    )
  }
  return { ...spec, prefix: formatPrefix(prefix), via, table: checkTable(spec.table) }
}

/** Writes known protocols by name and others by number, and ports as `80` or `6667-6670`. */
export function normalizeRule(spec: RuleSpec): RuleSpec {
  return {
    ...spec,
    from: formatPrefix(network(readPrefix(spec.from))),
    proto: formatProtocol(parseProtocol(spec.proto)),
    dstPort: formatPorts(parsePorts(spec.dstPort)),
    srcPort: formatPorts(parsePorts(spec.srcPort)),
    table: checkTable(spec.table),
  }
}

export function normalizeNeighbour(spec: NeighbourSpec): NeighbourSpec {
  return { ...spec, ip: normalizeIp(spec.ip), mac: normalizeMac(spec.mac) }
}

/** Parses a prefix. An address without a length becomes the prefix that contains only this address. */
export function readPrefix(text: string): Prefix {
  return isIp(text) ? hostPrefix(text) : parsePrefix(text)
}

export function familyOf(prefix: string): IpFamily {
  return prefix.includes(':') ? 6 : 4
}

/** The IANA protocol number; 0 for any protocol. */
export function parseProtocol(text: string): number {
  const number = text === '' ? 0 : (PROTOCOL_NUMBERS[text.toLowerCase()] ?? Number(text))
  if (Number.isInteger(number) && number >= 0 && number <= 255) return number
  throw new NsmError(
    'invalid_argument',
    'Cannot use the rule: its protocol is neither tcp, udp, sctp, icmp, icmpv6 nor 0 to 255',
    {
      fields: { proto: text.slice(0, 32) },
    },
  )
}

export function formatProtocol(number: number): string {
  const name = Object.entries(PROTOCOL_NUMBERS).find(([, value]) => value === number)?.[0]
  return number === 0 ? '' : (name ?? String(number))
}

/** Undefined for any port. */
export function parsePorts(text: string): PortRange | undefined {
  if (text === '') return undefined
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const range = { first: Number(match?.[1]), last: Number(match?.[2] ?? match?.[1]) }
  if (match !== null && range.first >= 1 && range.first <= range.last && range.last <= MAX_PORT) return range
  throw new NsmError(
    'invalid_argument',
    'Cannot use the rule: a port is neither 1 to 65535 nor a range such as 6667-6670',
    {
      fields: { port: text.slice(0, 32) },
    },
  )
}

export function formatPorts(range: PortRange | undefined): string {
  if (range === undefined) return ''
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`
}

function checkTable(table: number): number {
  if (Number.isInteger(table) && table >= 1 && table <= MAX_TABLE) return table
  throw new NsmError('invalid_argument', 'Cannot use the routing table: its number is not in 1 to 2^32 - 1', {
    fields: { table },
  })
}
