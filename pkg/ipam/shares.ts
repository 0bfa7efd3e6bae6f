/**
 * How many of an endpoint's leases are for whom. Whoever speaks for many clients, a node or another domain, could take
 * every address in their names, and one client all that its node may take. So a quarter of the pool is left for others
 * than one client, and an eighth for others than those that one node or domain names.
 *
 * The limits depend on nothing but the pool: an endpoint that has restarted can lease again all that it had leased, in
 * any order.
 */
import { NsmError } from '../base/index.ts'

/** Whose share of the pool a lease takes. */
export interface Holder {
  readonly client: string
  /** Whose word it is that there is such a client; absent where it is ours. */
  readonly namer?: string
}

export class Shares {
  readonly #pairs: bigint
  readonly #counts = new Map<string, number>()

  /** @param pairs how many leases the pool has for all holders together */
  constructor(pairs: bigint) {
    this.#pairs = pairs
  }

  /** @throws {NsmError} `resource_exhausted` */
  check({ client, namer }: Holder): void {
    const quarter = this.#pairs / 4n
    this.#checkOne(client, quarter)
    // Of the smallest pools that have anything to share, one.
    if (namer !== undefined) this.#checkOne(namer, quarter - quarter / 2n)
  }

  add(holder: Holder): void {
    for (const each of keysOf(holder)) this.#counts.set(each, this.#countOf(each) + 1)
  }

  remove(holder: Holder): void {
    for (const each of keysOf(holder)) {
      const left = this.#countOf(each) - 1
      if (left > 0) this.#counts.set(each, left)
      else this.#counts.delete(each)
    }
  }

  #checkOne(holder: string, reserve: bigint): void {
    const [leases, most] = [this.#countOf(holder), this.#pairs - reserve]
    if (reserve === 0n || leases < most) return
    throw new NsmError('resource_exhausted', 'Cannot lease addresses: the rest of the pool is for others', {
      fields: { holder, leases, most },
      next: 'close wires that are not used, or give the endpoint a larger prefix',
    })
  }

  #countOf(holder: string): number {
    return this.#counts.get(holder) ?? 0
  }
}

/** A node may be its own client. */
function keysOf({ client, namer = client }: Holder): ReadonlySet<string> {
  return new Set([client, namer])
}
