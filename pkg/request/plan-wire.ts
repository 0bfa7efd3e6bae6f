/** From what was agreed to what the node must have: the intent of a wire. Pure. */
import {
  type ConnectionContext,
  PAYLOAD_ETHERNET,
  PAYLOAD_IP,
  type Payload,
  type PolicyRoute,
  type Route,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  type AgreedEnd,
  completeEnd,
  type End,
  LOCAL_MTU_BYTES,
  lowestMtuBytes,
  mechanisms,
  REMOTE,
  type WireIntent,
} from '../mechanism/index.ts'
import {
  contains,
  formatPrefix,
  hostPrefix,
  ipToBigint,
  type KeptAddress,
  MAX_MTU_BYTES,
  network,
  type Prefix,
  parsePrefix,
  type WirePrefixRules,
  whyNotOnWire,
} from '../net/index.ts'

const LEAST_MTU_BYTES = 576

export interface Plan {
  readonly id: string
  readonly payload: Payload
  readonly context: ConnectionContext
  readonly client: AgreedEnd<End>
  readonly server: AgreedEnd<End>
  /** What this node needs to reach: to route it into a wire would cut the node off. */
  readonly kept: readonly KeptAddress[]
  /** The families, 4 or 6, for which the client has asked for a default route. */
  readonly defaults: ReadonlySet<number>
}

/** @throws {NsmError} `invalid_argument` when the context holds what no wire may have. */
export function planWire({ id, payload, context, client, server, kept, defaults }: Plan): WireIntent {
  checkMtu(context)
  checkPrefixes(context, { kept, defaults })
  const { ip } = context
  for (const end of [client, server]) checkPayload(payload, end)
  return {
    id,
    payload,
    mtuBytes: context.mtuBytes,
    client: completeEnd(client.end, context),
    server: completeEnd(server.end, context),
    clientPrefixes: [...ip.srcIpAddrs, ...ip.dstRoutes.map(({ prefix }) => prefix)],
    serverPrefixes: [...ip.dstIpAddrs, ...ip.srcRoutes.map(({ prefix }) => prefix)],
  }
}

/** The smallest of what anybody on the way allows; a wire that stays on its node is bound by nothing else. */
export function agreeMtu(mtuBytes: number, ...ends: readonly Pick<AgreedEnd, 'maxMtuBytes'>[]): number {
  return lowestMtuBytes(mtuBytes, ...ends.map(({ maxMtuBytes }) => maxMtuBytes)) ?? LOCAL_MTU_BYTES
}

/** What travels is the service's to say, and both ends must mean the same by it. */
function checkPayload(payload: Payload, { payload: agreed = payload }: AgreedEnd): void {
  if (agreed === payload) return
  if (payload === PAYLOAD_IP) {
    throw new NsmError('invalid_argument', 'Cannot carry IP packets: Ethernet frames were agreed for the tunnel', {
      next: 'leave the parameter payloads out, or register the network service with payload ETHERNET',
    })
  }
  throw new NsmError('invalid_argument', 'Cannot carry Ethernet frames: the mechanism is for IP packets', {
    next: `ask for ${carriersOfFrames()}, or register the network service with payload IP`,
  })
}

function carriersOfFrames(): string {
  const carriers = mechanisms.filter(({ cls, payloads }) => cls === REMOTE && payloads.includes(PAYLOAD_ETHERNET))
  return carriers.map(({ cls, type }) => `${cls}/${type}`).join(' or ')
}

function checkMtu({ mtuBytes }: ConnectionContext): void {
  if (mtuBytes >= LEAST_MTU_BYTES && mtuBytes <= MAX_MTU_BYTES) return
  throw new NsmError('invalid_argument', 'Cannot carry packets: the agreed MTU is too small or too large', {
    fields: { mtuBytes },
  })
}

type Around = Pick<Plan, 'kept' | 'defaults'>

/** What the client gets is held to what it has asked for; what the endpoint routes to itself is its own affair. */
function checkPrefixes({ ip }: ConnectionContext, { kept, defaults }: Around): void {
  const toClient = (prefix: Prefix) => ({ kept, mayBeDefault: defaults.has(prefix.family) })
  const toItself = () => ({ kept, mayBeDefault: true })
  const ofTheWire = () => ({ kept, mayBeDefault: false })
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
  const prefixes = taken.map(({ prefix }) => parsePrefix(prefix)).filter(({ family }) => !defaults.has(family))
  checkPart(prefixes)
  checkExcluded(prefixes, ip.excludedPrefixes)
}

/** The client has said what it needs without the wire. A default route that it asked for leads there all the same. */
function checkExcluded(prefixes: readonly Prefix[], excludedPrefixes: readonly string[]): void {
  const excluded = excludedPrefixes.map((text) => rangeOf(parsePrefix(text)))
  for (const prefix of prefixes) {
    const { first, last } = rangeOf(prefix)
    const isExcluded = (each: Range) => each.family === prefix.family && each.first <= last && first <= each.last
    if (!excluded.some(isExcluded)) continue
    throw new NsmError('invalid_argument', 'Cannot put the prefix on a wire: the client has excluded it', {
      fields: { prefix: formatPrefix(prefix) },
    })
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

/** A default route in pieces is one too. */
function checkPart(prefixes: readonly Prefix[]): void {
  for (const family of [4, 6]) {
    const own = prefixes.filter((prefix) => prefix.family === family)
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

type Rules = (prefix: Prefix) => WirePrefixRules

function checkRoute({ prefix, nextHop }: Route, rules: Rules): void {
  check(prefix, rules)
  if (nextHop !== '') check(formatPrefix(hostPrefix(nextHop)), rules)
}

function check(text: string, rules: Rules): void {
  const prefix = parsePrefix(text)
  const reason = whyNotOnWire(prefix, rules(prefix))
  if (reason === undefined) return
  throw new NsmError('invalid_argument', `Cannot put the prefix on a wire: ${reason}`, { fields: { prefix: text } })
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
