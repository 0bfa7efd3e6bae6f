/** The addresses of one prefix, and which are in use. All can be leased, including the first and the last one. */
import {
  bigintToIp,
  contains,
  formatIp,
  type IpFamily,
  ipToBigint,
  network,
  type Prefix,
  parseIp,
} from '../net/index.ts'

export class AddressPool {
  readonly #prefix: Prefix
  readonly #last: bigint
  readonly #taken = new Set<bigint>()
  /** All addresses below this one are in use. */
  #cursor: bigint

  constructor(prefix: Prefix) {
    this.#prefix = network(prefix)
    const { first, last } = range(this.#prefix)
    this.#last = last
    this.#cursor = first
  }

  /** How many pairs of addresses it has, free or not. */
  get pairs(): bigint {
    return (this.#last - ipToBigint(this.#prefix.address) + 1n) / 2n
  }

  get family(): IpFamily {
    return this.#prefix.family
  }

  has(ip: string): boolean {
    return contains(this.#prefix, parseIp(ip))
  }

  isFree(ip: string): boolean {
    return this.has(ip) && !this.#taken.has(ipToBigint(parseIp(ip)))
  }

  take(ip: string): void {
    this.#taken.add(ipToBigint(parseIp(ip)))
    while (this.#taken.has(this.#cursor)) this.#cursor += 1n
  }

  release(ip: string): void {
    const address = ipToBigint(parseIp(ip))
    if (this.#taken.delete(address) && address < this.#cursor) this.#cursor = address
  }

  /** The lowest free address that is neither `other` nor in `excluded`; undefined when there is none. */
  firstFree(excluded: readonly Prefix[], other?: string): string | undefined {
    const ranges = excluded.filter(({ family }) => family === this.family).map(range)
    const skipped = other === undefined ? undefined : ipToBigint(parseIp(other))
    for (let address = this.#cursor; address <= this.#last; ) {
      const exclusion = ranges.find(({ first, last }) => first <= address && address <= last)
      if (exclusion !== undefined) address = exclusion.last + 1n
      else if (this.#taken.has(address) || address === skipped) address += 1n
      else return formatIp(bigintToIp(address, this.family))
    }
    return undefined
  }
}

function range(prefix: Prefix): { readonly first: bigint; readonly last: bigint } {
  const first = ipToBigint(network(prefix).address)
  return { first, last: first + (1n << BigInt(8 * prefix.address.length - prefix.length)) - 1n }
}
