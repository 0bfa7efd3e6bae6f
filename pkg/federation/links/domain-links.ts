import { type Clock, describeError, follow, type Logger, NsmError, Scope } from '../../base/index.ts'
import type { DomainRecord, Introduction } from '../store/trust-record.ts'
import { introductionFromProto } from '../trust/introduction.ts'
import { notJoined, updateDomain } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'
import type { RegistryChannel, RegistryChannels } from './registry-channels.ts'

const RETRY = { firstMs: 250, mostMs: 15_000 }

export interface LinksOptions {
  readonly trust: Trust
  readonly channels: RegistryChannels
  readonly clock: Clock
  readonly logger: Logger
}

interface Link {
  readonly scope: Scope
  channel: RegistryChannel | undefined
  /** Why the other registry does not answer; empty while it does. */
  problem: string
  running: Promise<void>
}

/**
 * One link for each joined domain: a channel to its registry, over which we follow its authorities and addresses for as
 * long as it is joined.
 */
export class DomainLinks {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Link>()
  readonly #unsubscribe: () => void

  constructor(options: LinksOptions) {
    this.#options = options
    this.#unsubscribe = options.trust.subscribe(() => this.#update())
    this.#update()
  }

  /** @throws {NsmError} `not_found` when the domain has not joined, `unavailable` while it is being connected. */
  channelTo(domain: string): RegistryChannel {
    const link = this.#links.get(domain)
    if (link === undefined) throw notJoined(domain)
    if (link.channel === undefined) {
      throw new NsmError('unavailable', 'Cannot ask the domain: its registry is not connected yet', {
        fields: { domain },
      })
    }
    return link.channel
  }

  /** Why the other registry does not answer; empty while it does. */
  problemOf(domain: string): string {
    return this.#links.get(domain)?.problem ?? ''
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all([...this.#links.keys()].map((domain) => this.#drop(domain)))
  }

  /** Starts the links that are missing and drops those of domains that have left. */
  #update(): void {
    const { trust, logger } = this.#options
    for (const { name } of trust.joined()) if (!this.#links.has(name)) this.#start(name)
    for (const domain of [...this.#links.keys()]) {
      if (trust.joinedDomain(domain) !== undefined) continue
      this.#drop(domain).catch((error) => logger.warn('Cannot close the link to a domain', { domain, error }))
    }
  }

  #start(domain: string): void {
    const link: Link = {
      scope: new Scope(),
      channel: undefined,
      problem: 'not connected yet',
      running: Promise.resolve(),
    }
    this.#links.set(domain, link)
    link.running = this.#run(domain, link)
  }

  async #drop(domain: string): Promise<void> {
    const link = this.#links.get(domain)
    this.#links.delete(domain)
    await link?.scope.close()
    await link?.running
  }

  async #run(domain: string, link: Link): Promise<void> {
    const { trust, clock, logger } = this.#options
    const onFailure = (error: unknown) => {
      link.problem = describeError(error)
      logger.warn('The registry of a joined domain does not answer', { domain, error })
    }
    let attempt = 0
    await follow({ clock, retry: RETRY, signal: link.scope.signal, onFailure }, async (works) => {
      const joined = trust.joinedDomain(domain)
      if (joined === undefined) return // the link is about to be dropped
      attempt += 1
      await this.#watch(joined, link, { attempt, works })
      link.problem = 'the other registry ended the watch: it may have revoked this domain'
    })
  }

  /** Watches over one of the addresses, another one at each attempt. */
  async #watch(
    { name, introduction: { addresses } }: DomainRecord,
    link: Link,
    { attempt, works }: { readonly attempt: number; works(): void },
  ): Promise<void> {
    const channel = this.#options.channels.member(addresses[(attempt - 1) % addresses.length] ?? '', name)
    link.channel = channel
    try {
      for await (const message of channel.federation.watchBundle({}, { signal: link.scope.signal })) {
        await this.#learn(name, introductionFromProto(message))
        link.problem = ''
        works()
      }
    } finally {
      await channel.close()
    }
  }

  async #learn(domain: string, introduction: Introduction): Promise<void> {
    const { trust, logger } = this.#options
    if (introduction.domain !== domain) {
      throw new NsmError('permission_denied', 'Cannot follow the domain: its registry speaks for another one', {
        fields: { domain, found: introduction.domain },
      })
    }
    if (!(await updateDomain(trust.records, introduction))) return
    logger.info('A domain has new authorities or addresses', { domain, revision: introduction.revision })
  }
}
