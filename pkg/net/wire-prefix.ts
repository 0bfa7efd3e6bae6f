/**
 * Which prefixes a wire may have, as an address of one of its ends or as a route into it. A prefix takes all traffic to
 * the addresses that it contains, so it is refused as soon as it shares one address with a special range: a wider prefix
 * is no way round. Host bits do not count. An operator can allow some of what is refused, by a policy.
 */
import { NsmError } from '../base/index.ts'
import { contains, formatPrefix, network, overlaps, type Prefix, parsePrefix } from './prefix.ts'
import { SPECIAL_RANGES, type SpecialRange } from './special-ranges.ts'

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

/** What an operator lets on a wire that no wire has by default. Prefixes are in canonical form, without host bits. */
export interface PrefixExceptions {
  isAllowed(prefix: string): boolean
  /** What an operator does to allow it: the next step of an error. */
  advice(prefix: string): string
}

export const noExceptions: PrefixExceptions = {
  isAllowed: () => false,
  advice: () => 'give the endpoint other prefixes, or exclude these in the request',
}

/** Whether the prefix is the default route of its family or one of its two halves. */
export function isDefaultRoute({ length }: Prefix): boolean {
  return length <= 1
}

/** Whether the prefix is wider than any private network. */
export function isWide({ family, length }: Prefix): boolean {
  return length < WIDEST[family]
}

/** Why a wire may not have the prefix; undefined if it may. A default route that was asked for takes everything. */
export function whyNotOnWire(prefix: Prefix, { mayBeDefault, kept }: WirePrefixRules): string | undefined {
  if (isWide(prefix) && !mayBeDefault) return 'it is wider than any private network'
  if (isDefaultRoute(prefix)) return undefined
  const forbidden = SPECIAL_RANGES.find(({ range }) => overlaps(range, prefix))
  if (forbidden !== undefined) return orContains(forbidden)
  const covered = kept.find(({ ip }) => contains(prefix, ip))
  return covered === undefined ? undefined : `it contains ${covered.what}`
}

/** Why not even an operator can allow the prefix; undefined if one can. Holds for each default route and its halves. */
export function whyNeverOnWire(prefix: Prefix): string | undefined {
  const forbidden = SPECIAL_RANGES.find(({ range, mayBeAllowed }) => !mayBeAllowed && overlaps(range, prefix))
  return forbidden && orContains(forbidden)
}

/** @throws {NsmError} `invalid_argument` with what the prefix would take, and what to do about it */
export function checkOnWire(text: string, rules: WirePrefixRules & { readonly exceptions: PrefixExceptions }): void {
  const prefix = parsePrefix(text)
  const reason = whyNotOnWire(prefix, rules)
  if (reason === undefined) return
  const asked = formatPrefix(network(prefix))
  const mayBeAllowed = whyNeverOnWire(prefix) === undefined
  if (mayBeAllowed && rules.exceptions.isAllowed(asked)) return
  throw new NsmError('invalid_argument', `Cannot put the prefix on a wire: ${reason}`, {
    fields: { prefix: text },
    next: mayBeAllowed ? rules.exceptions.advice(asked) : adviceWithout(prefix),
  })
}

function adviceWithout(prefix: Prefix): string {
  if (!isDefaultRoute(prefix)) return 'give the endpoint other prefixes: no policy can allow this one'
  return 'ask for a default route in the request, such as kernel://service/interface?default-route=ipv4'
}

function orContains({ what }: SpecialRange): string {
  return `it is ${what}, or contains it`
}
