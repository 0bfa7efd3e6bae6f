/** Addresses, routes and policies of one workload's interface. */
import type { PolicyRoute } from '../api/index.ts'
import type { WorkloadInterface } from '../mechanism/index.ts'
import { contains, formatIp, formatPrefix, hostPrefix, parsePrefix } from '../net/index.ts'
import { normalizeAddress, normalizeRoute, normalizeRule, type RouteSpec, type RuleSpec } from '../platform/index.ts'
import { type Desired, want } from '../reconcile/index.ts'
import type { WireKinds } from './kinds/index.ts'

const MAIN_TABLE = 254

export interface FarSide {
  /** CIDRs of the other end where it is on this node too: it is reached directly on the link. */
  readonly farAddresses: readonly string[]
  readonly tables: readonly number[]
}

export function planLayer3(
  kinds: WireKinds,
  end: WorkloadInterface,
  { farAddresses, tables }: FarSide,
): readonly Desired[] {
  const { namespace, interfaceName: link } = end
  const addresses = end.addresses.map((address) => normalizeAddress({ namespace, link, address }))
  const routes = [...mainRoutes(end, farAddresses), ...end.policies.flatMap((p, i) => policyRoutes(end, p, tables[i]))]
  const rules = end.policies.map((policy, index) => toRule(end, policy, tables[index]))
  return [
    ...addresses.map((spec) => want(kinds.address, spec)),
    ...distinct(inOrder(routes)).map((spec) => want(kinds.route, spec)),
    ...distinct(rules).map((spec) => want(kinds.rule, spec)),
  ]
}

function mainRoutes(end: WorkloadInterface, farAddresses: readonly string[]): readonly RouteSpec[] {
  const own = end.addresses.map(parsePrefix)
  const isCovered = (ip: Uint8Array) => own.some((prefix) => contains(prefix, ip))
  const far = farAddresses.map((cidr) => parsePrefix(cidr).address).filter((ip) => !isCovered(ip))
  const direct = far.map((ip) => ({ prefix: formatPrefix(hostPrefix(formatIp(ip))), via: undefined }))
  return [...direct, ...end.routes].map((route) => toRoute(end, route, MAIN_TABLE))
}

/** Without routes a policy means "everything, by this interface". */
function policyRoutes(
  end: WorkloadInterface,
  { from, routes }: PolicyRoute,
  table: number | undefined,
): readonly RouteSpec[] {
  const wanted = routes.length > 0 ? routes : [{ prefix: isIpv6(from, end) ? '::/0' : '0.0.0.0/0', nextHop: '' }]
  return wanted.map(({ prefix, nextHop }) => {
    return toRoute(end, { prefix, via: nextHop === '' ? undefined : nextHop }, table ?? MAIN_TABLE)
  })
}

function toRoute(end: WorkloadInterface, route: WorkloadInterface['routes'][number], table: number): RouteSpec {
  const { namespace, interfaceName: link } = end
  return normalizeRoute({ namespace, link, prefix: route.prefix, via: route.via, table })
}

function toRule(end: WorkloadInterface, policy: PolicyRoute, table: number | undefined): RuleSpec {
  const { from, proto, dstPort, srcPort } = policy
  const source = from === '' ? (isIpv6(from, end) ? '::/0' : '0.0.0.0/0') : from
  return normalizeRule({ namespace: end.namespace, from: source, proto, dstPort, srcPort, table: table ?? MAIN_TABLE })
}

/**
 * A way back that only such a policy opens is one that the kernel cannot find: nf_tables asks for a route without
 * protocol and ports.
 */
export function hasIpv6PolicyByPort(end: WorkloadInterface): boolean {
  return end.policies.some(
    ({ from, proto, dstPort, srcPort }) => isIpv6(from, end) && `${proto}${dstPort}${srcPort}` !== '',
  )
}

/** A policy without a source is about the family that the interface has. */
function isIpv6(from: string, { addresses }: WorkloadInterface): boolean {
  return from === '' ? addresses.length > 0 && addresses.every((cidr) => cidr.includes(':')) : from.includes(':')
}

/** Direct routes first: gateways are reached by them. */
function inOrder(routes: readonly RouteSpec[]): readonly RouteSpec[] {
  return [...routes.filter(({ via }) => via === undefined), ...routes.filter(({ via }) => via !== undefined)]
}

function distinct<T>(specs: readonly T[]): readonly T[] {
  return [...new Map(specs.map((spec) => [JSON.stringify(spec), spec])).values()]
}
