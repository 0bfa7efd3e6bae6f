/**
 * Which prefixes a wire may have, as an address of one of its ends or as a route into it. A prefix takes all traffic to
 * the addresses that it contains, so it is refused as soon as it shares one address with a range below: a wider prefix
 * is no way round. Host bits do not count.
 */
import { METADATA_SERVICES } from './metadata-services.ts'
import { contains, overlaps, type Prefix, parsePrefix } from './prefix.ts'

/** Ranges that no wire carries, with what they are. */
const RANGES: readonly (readonly [range: Prefix, what: string])[] = [
  ['0.0.0.0/8', '"this network"'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/3', 'multicast or reserved'],
  ['::/96', 'loopback or reserved'],
  ['::ffff:0.0.0.0/96', 'IPv4 in IPv6'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
].map(([range = '', what = '']) => [parsePrefix(range), what] as const)

const FORBIDDEN = [...RANGES, ...METADATA_SERVICES.map((range) => [range, 'the metadata service of a cloud'] as const)]

/** The widest private networks are 10.0.0.0/8 and fc00::/7. What is wider is a part of the default route. */
const WIDEST = { 4: 8, 6: 7 } as const

/** An address that must stay reachable as it is, with what it is. */
export interface KeptAddress {
  readonly ip: Uint8Array
  readonly what: string
}

export interface WirePrefixRules {
  /** Whether the side that gets the prefix has asked for a default route. */
  readonly mayBeDefault: boolean
  readonly kept: readonly KeptAddress[]
}

/** Whether the prefix is the default route of its family or one of its two halves. */
export function isDefaultRoute({ length }: Prefix): boolean {
  return length <= 1
}

/** Why a wire may not have the prefix; undefined if it may. A default route that was asked for takes everything. */
export function whyNotOnWire(prefix: Prefix, { mayBeDefault, kept }: WirePrefixRules): string | undefined {
  if (prefix.length < WIDEST[prefix.family] && !mayBeDefault) return 'it is wider than any private network'
  if (isDefaultRoute(prefix)) return undefined
  const forbidden = FORBIDDEN.find(([range]) => overlaps(range, prefix))
  if (forbidden !== undefined) return `it is ${forbidden[1]}, or contains it`
  const covered = kept.find(({ ip }) => contains(prefix, ip))
  return covered === undefined ? undefined : `it contains ${covered.what}`
}
