/**
 * Leases a pair of addresses per group to each connection: the first free one to the endpoint, the next to the client.
 * Addresses in the request are kept if they are in our prefixes and free, so that an endpoint that has lost its state
 * still serves its existing connections with the same addresses. To restore the state, pass `leases()` to the constructor,
 * or lease again to each connection what it has before anybody new comes.
 */
import type { IpContext, Route } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { contains, formatIp, formatPrefix, hostPrefix, type Prefix, parseIp, parsePrefix } from '../net/index.ts'
import { AddressPool } from './address-pool.ts'
import { type Holder, Shares } from './shares.ts'

/** `dst` is the endpoint's address, `src` the client's. */
export interface AddressPair {
  readonly dst: string
  readonly src: string
}

export interface Lease {
  readonly connectionId: string
  /** Whose share of the pool the lease takes. */
  readonly holder: Holder
  /** One pair per group. */
  readonly pairs: readonly AddressPair[]
}

export class PointToPointIpam {
  readonly #groups: readonly (readonly AddressPool[])[]
  readonly #shares: Shares
  readonly #leases = new Map<string, Omit<Lease, 'connectionId'>>()

  constructor(groups: readonly (readonly Prefix[])[], leases: readonly Lease[] = []) {
    this.#groups = groups.map((prefixes) => prefixes.map((prefix) => new AddressPool(prefix)))
    this.#shares = new Shares(fewest(this.#groups.map((pools) => pools.reduce((sum, { pairs }) => sum + pairs, 0n))))
    for (const lease of leases) this.#restore(lease)
  }

  leases(): readonly Lease[] {
    return [...this.#leases].map(([connectionId, lease]) => ({ connectionId, ...lease }))
  }

  /**
   * Leases addresses to a connection, or renews its lease with the same addresses unless they are excluded now.
   *
   * @param holder whose share of the pool the lease takes; without one, the connection's own
   * @returns the context with exactly these addresses, and routes from each side to the other
   * @throws {NsmError} `resource_exhausted` when a group has no free pair, or the holder has its share; the previous
   *   lease then stays as it was
   */
  lease(connectionId: string, context: IpContext, holder: Holder = { client: connectionId }): IpContext {
    const excluded = context.excludedPrefixes.map(parsePrefix)
    const before = this.#leases.get(connectionId)
    this.release(connectionId)
    try {
      this.#shares.check(holder)
      const given = before?.pairs ?? []
      const hints = {
        src: [...given.map(({ src }) => src), ...context.srcIpAddrs.map(addressOf)],
        dst: [...given.map(({ dst }) => dst), ...context.dstIpAddrs.map(addressOf)],
      }
      const pairs = this.#groups.map((pools) => choosePair(pools, hints, excluded))
      this.#take(connectionId, { holder, pairs })
      return withPairs(context, pairs)
    } catch (error) {
      if (before !== undefined) this.#take(connectionId, before)
      throw error
    }
  }

  /** Does nothing for an unknown connection. */
  release(connectionId: string): void {
    const lease = this.#leases.get(connectionId)
    if (lease === undefined) return
    this.#leases.delete(connectionId)
    this.#shares.remove(lease.holder)
    for (const { pool, ip } of this.#addresses(lease.pairs)) pool.release(ip)
  }

  #take(connectionId: string, lease: Omit<Lease, 'connectionId'>): void {
    this.#leases.set(connectionId, lease)
    this.#shares.add(lease.holder)
    for (const { pool, ip } of this.#addresses(lease.pairs)) pool.take(ip)
  }

  /** A stored lease is valid only if the pools still contain all of its addresses. */
  #restore({ connectionId, ...lease }: Lease): void {
    const { pairs } = lease
    const fits = pairs.length === this.#groups.length && pairs.every((pair, index) => this.#fits(pair, index))
    if (fits) this.#take(connectionId, lease)
  }

  #fits({ src, dst }: AddressPair, group: number): boolean {
    const pools = this.#groups[group] ?? []
    return src !== dst && [src, dst].every((ip) => pools.some((pool) => pool.isFree(ip)))
  }

  #addresses(pairs: readonly AddressPair[]): { readonly pool: AddressPool; readonly ip: string }[] {
    const ips = pairs.flatMap(({ src, dst }) => [src, dst])
    return ips.flatMap((ip) => this.#groups.flat().flatMap((pool) => (pool.has(ip) ? [{ pool, ip }] : [])))
  }
}

interface Hints {
  readonly src: readonly string[]
  readonly dst: readonly string[]
}

function choosePair(pools: readonly AddressPool[], hints: Hints, excluded: readonly Prefix[]): AddressPair {
  for (const pool of pools) {
    const isUsable = (ip: string) => pool.isFree(ip) && !excluded.some((prefix) => contains(prefix, parseIp(ip)))
    const hinted = hints.src.find((ip) => isUsable(ip))
    const dst = hints.dst.find((ip) => isUsable(ip) && ip !== hinted) ?? pool.firstFree(excluded, hinted)
    const src = hinted ?? (dst === undefined ? undefined : pool.firstFree(excluded, dst))
    if (dst !== undefined && src !== undefined) return { dst, src }
  }
  throw new NsmError('resource_exhausted', 'Cannot lease addresses: none are free in a group of prefixes', {
    fields: { excluded: excluded.length },
    next: 'give the endpoint a larger prefix, or add a prefix to the group',
  })
}

function fewest(counts: readonly bigint[]): bigint {
  return counts.reduce((least, count) => (count < least ? count : least))
}

function withPairs(context: IpContext, pairs: readonly AddressPair[]): IpContext {
  const src = pairs.map((pair) => hostCidr(pair.src))
  const dst = pairs.map((pair) => hostCidr(pair.dst))
  return {
    ...context,
    srcIpAddrs: src,
    dstIpAddrs: dst,
    srcRoutes: routesTo(dst, context.srcRoutes, context.dstIpAddrs),
    dstRoutes: routesTo(src, context.dstRoutes, context.srcIpAddrs),
  }
}

/** Routes to the other side, then the routes of the request without those to the former addresses of the other side. */
function routesTo(hosts: readonly string[], routes: readonly Route[], formerHosts: readonly string[]): Route[] {
  const replaced = new Set([...hosts, ...formerHosts.map((cidr) => hostCidr(addressOf(cidr)))])
  return [...hosts.map((prefix) => ({ prefix, nextHop: '' })), ...routes.filter(({ prefix }) => !replaced.has(prefix))]
}

function hostCidr(ip: string): string {
  return formatPrefix(hostPrefix(ip))
}

/** The address of a CIDR without the prefix length. */
function addressOf(cidr: string): string {
  return formatIp(parsePrefix(cidr).address)
}
