/** Holds the addresses and routes that were agreed for a wire to what a wire may have. Pure. */
import type { IpContext, PolicyRoute, Route } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  checkOnWire,
  contains,
  formatPrefix,
  hostPrefix,
  ipToBigint,
  isDefaultRoute,
  isWide,
  type KeptAddress,
  network,
  type Prefix,
  type PrefixExceptions,
  parsePrefix,
  type WirePrefixRules,
} from '../net/index.ts'

/** What a wire of this node is held to besides what holds for all wires. */
export interface Around {
  /** What this node needs to reach: to route it into a wire would cut the node off. */
  readonly kept: readonly KeptAddress[]
  /** What the operator of this node keeps off all wires. */
  readonly excluded: readonly string[]
  /** What the operator allows on this wire. */
  readonly exceptions: PrefixExceptions
  /** The families, 4 or 6, for which the client has asked for a default route. */
  readonly defaults: ReadonlySet<number>
}

/** What the client gets is held to what it has asked for; what the endpoint routes to itself is its own affair. */
export function checkPrefixes(ip: IpContext, { kept, excluded, exceptions, defaults }: Around): void {
  const toClient = (prefix: Prefix) => ({ kept, exceptions, mayBeDefault: defaults.has(prefix.family) })
  const toItself = () => ({ kept, exceptions, mayBeDefault: true })
  const ofTheWire = () => ({ kept, exceptions, mayBeDefault: false })
  for (const address of [...ip.srcIpAddrs, ...ip.dstIpAddrs]) check(address, ofTheWire)
  for (const route of ip.srcRoutes) checkRoute(route, toClient)
  for (const route of ip.dstRoutes) checkRoute(route, toItself)
  const taken = [...ip.srcRoutes]
  for (const policy of ip.policies) {
    const isOwn = ip.srcIpAddrs.some((address) => isWithin(policy.from, address))
    const routes = routesOf(policy, ip.srcIpAddrs)
    for (const route of routes) checkRoute(route, isOwn ? toItself : toClient)
    if (!isOwn) taken.push(...routes)
  }
  const prefixes = taken.map(({ prefix }) => parsePrefix(prefix))
  checkPart(prefixes.filter(({ family }) => !defaults.has(family)))
  checkExcluded(prefixesOf(ip), excluded, BY_NODE)
  checkExcluded(prefixes, ip.excludedPrefixes, BY_CLIENT)
}

/** All that a wire takes, in whichever pod. */
export function prefixesOf(ip: IpContext): readonly Prefix[] {
  const policyRoutes = ip.policies.flatMap((policy) => routesOf(policy, ip.srcIpAddrs))
  const routes = [...ip.srcRoutes, ...ip.dstRoutes, ...policyRoutes].map(({ prefix }) => prefix)
  return [...ip.srcIpAddrs, ...ip.dstIpAddrs, ...routes].map(parsePrefix)
}

const BY_NODE = {
  message: 'Cannot put the prefix on a wire: this node keeps it off all wires',
  next: 'give the endpoint other prefixes; what a node keeps off its wires is in its NSM_EXCLUDED_PREFIXES',
}
const BY_CLIENT = {
  message: 'Cannot put the prefix on a wire: the client or its node has excluded it',
  next: 'give the endpoint other prefixes, or exclude less in the request',
}

/** What must be reached without the wire. A default route, which only a client that asks for one gets, leads there all the same. */
function checkExcluded(prefixes: readonly Prefix[], excludedPrefixes: readonly string[], by: typeof BY_NODE): void {
  const excluded = excludedPrefixes.map((text) => rangeOf(parsePrefix(text)))
  for (const prefix of prefixes) {
    if (isDefaultRoute(prefix)) continue
    const { first, last } = rangeOf(prefix)
    const isExcluded = (each: Range) => each.family === prefix.family && each.first <= last && first <= each.last
    if (!excluded.some(isExcluded)) continue
    throw new NsmError('invalid_argument', by.message, { fields: { prefix: formatPrefix(prefix) }, next: by.next })
  }
}

interface Range {
  readonly family: number
  readonly first: bigint
  readonly last: bigint
}

/** As numbers: there may be a thousand on each side. */
function rangeOf(prefix: Prefix): Range {
  const { family, address, length } = network(prefix)
  const first = ipToBigint(address)
  return { family, first, last: first + (1n << BigInt(8 * address.length - length)) - 1n }
}

/** All private networks of IPv4 are a two-hundredth of its addresses, and those of IPv6 are a 128th. */
const LARGEST_PART = 1 / 16

/** A default route in pieces is one too. What is wider than all private networks has been allowed by itself. */
function checkPart(prefixes: readonly Prefix[]): void {
  for (const family of [4, 6]) {
    const own = prefixes.filter((prefix) => prefix.family === family && !isWide(prefix))
    const part = own.reduce((sum, { length }) => sum + 2 ** -length, 0)
    if (part <= LARGEST_PART) continue
    throw new NsmError(
      'invalid_argument',
      'Cannot put the prefixes on a wire: together they are wider than private networks',
      {
        fields: { family, prefixes: own.length },
        next: 'ask for a default route in the request',
      },
    )
  }
}

type Rules = (prefix: Prefix) => WirePrefixRules & Pick<Around, 'exceptions'>

function checkRoute({ prefix, nextHop }: Route, rules: Rules): void {
  check(prefix, rules)
  if (nextHop !== '') check(formatPrefix(hostPrefix(nextHop)), rules)
}

function check(text: string, rules: Rules): void {
  checkOnWire(text, rules(parsePrefix(text)))
}

/** A policy without routes routes everything that it selects into the wire. */
function routesOf({ from, routes }: PolicyRoute, addresses: readonly string[]): readonly Route[] {
  if (routes.length > 0) return routes
  const isIpv6 = (from === '' ? (addresses[0] ?? '') : from).includes(':')
  return [{ prefix: isIpv6 ? '::/0' : '0.0.0.0/0', nextHop: '' }]
}

/** Whether a policy is only for packets from this address of the wire, or its network. */
function isWithin(from: string, address: string): boolean {
  if (from === '') return false
  const [inner, outer] = [asPrefix(from), parsePrefix(address)]
  return inner.length >= outer.length && contains(outer, inner.address)
}

function asPrefix(text: string): Prefix {
  return text.includes('/') ? parsePrefix(text) : hostPrefix(text)
}
