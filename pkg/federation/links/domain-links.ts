import { Backoff, type Clock, describeError, type Logger, NsmError, Scope } from '../../base/index.ts'
import { readIntroduction } from '../joining/introduction.ts'
import { type JoinedDomain, notJoined } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'
import type { Channels, RegistryChannel } from './registry-channels.ts'

export interface LinksOptions {
  readonly trust: Trust
  readonly channels: Channels
  readonly clock: Clock
  readonly logger: Logger
}

interface Link {
  readonly scope: Scope
  channel: RegistryChannel | undefined
  /** Empty while the other registry answers. */
  problem: string
  running: Promise<void>
}

/**
 * One link per joined domain: a channel to its registry, over which its authorities and addresses are followed for as
 * long as it is joined.
 */
export class DomainLinks {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Link>()
  readonly #unsubscribe: () => void

  constructor(options: LinksOptions) {
    this.#options = options
    this.#unsubscribe = options.trust.subscribe(() => this.#follow())
    this.#follow()
  }

  /** @throws {NsmError} `not_found` when the domain has not joined, `unavailable` before its first address is tried. */
  channelTo(domain: string): RegistryChannel {
    const link = this.#links.get(domain)
    if (link === undefined) throw notJoined(domain)
    if (link.channel === undefined) {
      throw new NsmError('unavailable', 'Cannot ask the domain: its registry is not connected', { fields: { domain } })
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

  /** Makes links equal to what is joined. */
  #follow(): void {
    const { trust, logger } = this.#options
    for (const { domain } of trust.joined()) if (!this.#links.has(domain)) this.#start(domain)
    for (const domain of [...this.#links.keys()]) {
      if (trust.isJoined(domain)) continue
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
    const { signal } = link.scope
    const backoff = new Backoff({ firstMs: 250, mostMs: 15_000 })
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const joined = trust.domains.get(domain)
      if (joined === undefined) return
      try {
        await this.#watch(joined, link, { attempt, onAnswer: () => backoff.reset() })
        link.problem = 'the other registry ended the watch: it may have revoked this domain'
      } catch (error) {
        if (signal.aborted) return
        link.problem = describeError(error)
        logger.warn('The registry of a joined domain does not answer', { domain, error })
      }
      await clock.sleep(backoff.next(), signal).catch(() => {})
    }
  }

  /** Watches over one of the addresses, another one at each attempt. */
  async #watch(
    { domain, addresses }: JoinedDomain,
    link: Link,
    { attempt, onAnswer }: { readonly attempt: number; onAnswer(): void },
  ): Promise<void> {
    const channel = this.#options.channels.member(addresses[attempt % addresses.length] ?? '', domain)
    link.channel = channel
    try {
      for await (const message of channel.federation.watchBundle({}, { signal: link.scope.signal })) {
        this.#learn(domain, readIntroduction(message))
        link.problem = ''
        onAnswer()
      }
    } finally {
      await channel.close()
    }
  }

  #learn(domain: string, introduction: JoinedDomain | ReturnType<typeof readIntroduction>): void {
    const { trust, logger } = this.#options
    if (introduction.domain !== domain) {
      throw new NsmError('permission_denied', 'Cannot follow a domain: its registry speaks for another one', {
        fields: { domain, found: introduction.domain },
      })
    }
    const known = trust.domains.get(domain)
    if (known === undefined || introduction.revision <= known.revision) return
    trust.change(() => trust.domains.update(introduction))
    logger.info('A domain has new authorities or addresses', { domain, revision: introduction.revision })
  }
}
