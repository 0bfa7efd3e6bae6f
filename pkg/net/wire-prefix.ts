/**
 * Which prefixes a wire may have, as an address of one of its ends or as a route into it. A prefix takes all traffic to
 * the addresses that it contains, so it is refused as soon as it shares one address with a special range: a wider prefix
 * is no way round. Host bits do not count.
 */
import { contains, overlaps, type Prefix } from './prefix.ts'
import { SPECIAL_RANGES } from './special-ranges.ts'

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
  const forbidden = SPECIAL_RANGES.find(({ range }) => overlaps(range, prefix))
  if (forbidden !== undefined) return `it is ${forbidden.what}, or contains it`
  const covered = kept.find(({ ip }) => contains(prefix, ip))
  return covered === undefined ? undefined : `it contains ${covered.what}`
}
