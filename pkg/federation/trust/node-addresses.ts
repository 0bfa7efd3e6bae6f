/**
 * Where the nodes of this domain are called, and for whom each speaks. A node says its address when it connects, and each
 * of its endpoints registers with that address: one of another machine would bring the clients of a service to whom they
 * did not ask for.
 */
import { NsmError } from '../../base/index.ts'
import { formatSocketAddress, isReachableUrl, parseSocketAddress, type Reach } from '../../net/index.ts'
import { nodeNameOf } from '../../policy/index.ts'
import type { Platform } from '../platform/platform.ts'
import type { TrustRecords } from './trust-records.ts'

export interface NodeAddressesOptions {
  readonly records: TrustRecords
  readonly domain: string
  /** Which addresses nodes call. */
  readonly reach: Reach
  /** Knows what runs on which node, if anybody does. */
  readonly platform?: Platform | undefined
}

export class NodeAddresses {
  readonly #options: NodeAddressesOptions

  constructor(options: NodeAddressesOptions) {
    this.#options = options
  }

  /**
   * A node says where it is called from now on.
   * @throws {NsmError} `invalid_argument` when no other machine can call it there, `already_exists` when another node is.
   */
  async announce(spiffeId: string, url: string): Promise<void> {
    const address = this.#addressOf(url)
    await this.#keep(spiffeId, () => address)
  }

  /**
   * Checks the URL with which a node registers. A node that has not announced any, because it is of an older version,
   * keeps the first; one that another authority has let in is held to an address that can be called.
   * @throws {NsmError} `permission_denied` when the node has another address; else as {@link announce} does.
   */
  async check(spiffeId: string, url: string): Promise<void> {
    const address = this.#addressOf(url)
    const announced = this.#recordOf(spiffeId)?.url
    if (announced === address || announced === undefined) return
    if (announced !== '') throw isElsewhere(url, announced)
    await this.#keep(spiffeId, (stored) => {
      if (stored !== '' && stored !== address) throw isElsewhere(url, stored)
      return address
    })
  }

  /**
   * A node speaks for its own workloads. Where somebody else knows what runs on it, they have to be there.
   * @throws {NsmError} `permission_denied`
   */
  async checkWorkload(workload: string, node: string): Promise<void> {
    const { platform, domain } = this.#options
    const name = nodeNameOf(node, domain)
    if (platform === undefined || name === undefined || workload === node) return
    await platform.checkWorkload(name, workload.slice(node.length + 1))
  }

  async #keep(spiffeId: string, decide: (stored: string) => string): Promise<void> {
    const { records } = this.#options
    const known = this.#recordOf(spiffeId)
    if (known === undefined) return
    await records.change('node', known.name, (stored) => {
      if (stored === undefined) return undefined
      const url = decide(stored.url)
      if (url === stored.url) return stored
      this.#checkFree(stored.name, url)
      return { ...stored, url }
    })
  }

  #recordOf(spiffeId: string) {
    const { records, domain } = this.#options
    return records.get('node', nodeNameOf(spiffeId, domain) ?? '')
  }

  /** In its only spelling: an IPv6 address has many, and each would be another one. */
  #addressOf(url: string): string {
    if (isReachableUrl(url, this.#options.reach)) {
      return `tcp://${formatSocketAddress(parseSocketAddress(url.replace('tcp://', '')))}`
    }
    throw new NsmError('invalid_argument', 'Cannot use the address of the node: no other machine can call it there', {
      fields: { url: url.slice(0, 64) },
      next: 'set NSM_PUBLIC_URL of the node to tcp://<ip>:<port> under which other nodes reach it',
    })
  }

  #checkFree(name: string, url: string): void {
    const nodes = this.#options.records.all('node')
    const other = nodes.find((node) => node.url === url && node.name !== name && node.revokedMs === undefined)
    if (other === undefined) return
    throw new NsmError('already_exists', 'Cannot use the address of the node: another node has it', {
      fields: { url, node: other.name },
      next: `give the nodes different addresses, or revoke the other one: nsmctl node revoke ${other.name}`,
    })
  }
}

function isElsewhere(url: string, announced: string): NsmError {
  return new NsmError('permission_denied', 'Cannot register: the URL is not the address of the node', {
    fields: { url, announced },
    next: 'endpoints register at the node daemon of their machine, which gives its own address (NSM_PUBLIC_URL)',
  })
}
