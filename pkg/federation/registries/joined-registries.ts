import { isDeepStrictEqual } from 'node:util'
import { type Clock, describeError, follow, type Logger, NsmError, paced, Scope } from '../../base/index.ts'
import type { Introduction } from '../store/trust-record.ts'
import { introductionFromProto, introductionToProto } from '../trust/introduction.ts'
import { learnDomain, notJoined } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'
import type { RegistryChannel, RegistryChannels } from './registry-channels.ts'

const RETRY = { firstMs: 250, maxMs: 15_000 }
/** How often another domain may say something new of itself: each time is a write, and a word to each of our nodes. */
const PACE = { most: 10, ms: 10_000 }

export interface JoinedRegistriesOptions {
  readonly trust: Trust
  readonly channels: RegistryChannels
  readonly clock: Clock
  readonly logger: Logger
}

interface JoinedRegistry {
  readonly scope: Scope
  channel: RegistryChannel | undefined
  readonly byAddress: Map<string, RegistryChannel>
  readonly addresses: readonly string[]
  /** Why the other registry does not answer; empty while it does. */
  problem: string
  running: Promise<void>
}

/**
 * The registries of the joined domains: a channel to each, over which we follow the authorities and addresses of the
 * domain for as long as it is joined.
 */
export class JoinedRegistries {
  readonly #options: JoinedRegistriesOptions
  readonly #registries = new Map<string, JoinedRegistry>()
  readonly #unsubscribe: () => void
  readonly #ending = new Set<Promise<void>>()

  constructor(options: JoinedRegistriesOptions) {
    this.#options = options
    this.#unsubscribe = options.trust.subscribe(() => this.#update())
    this.#update()
  }

  /** @throws {NsmError} `not_found` when the domain has not joined, `unavailable` while it is being connected. */
  channelTo(domain: string): RegistryChannel {
    const registry = this.#registries.get(domain)
    if (registry === undefined) throw notJoined(domain)
    if (registry.channel === undefined) {
      throw new NsmError('unavailable', 'Cannot ask the domain: its registry is not connected yet', {
        fields: { domain },
      })
    }
    return registry.channel
  }

  /** Why the other registry does not answer; empty while it does. */
  problemOf(domain: string): string {
    return this.#registries.get(domain)?.problem ?? ''
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    for (const [domain, registry] of this.#registries) this.#end(domain, registry)
    this.#registries.clear()
    await Promise.all(this.#ending)
  }

  /** Follows the domains that have joined, to where they are now, and drops those that have left. */
  #update(): void {
    const { trust } = this.#options
    for (const { name, introduction } of trust.joined()) {
      const { addresses } = introduction
      const former = this.#registries.get(name)
      if (former !== undefined && isDeepStrictEqual(former.addresses, addresses)) continue
      this.#start(name, addresses)
      if (former !== undefined) this.#end(name, former)
    }
    for (const domain of [...this.#registries.keys()]) {
      if (trust.joinedDomain(domain) !== undefined) continue
      const left = this.#registries.get(domain)
      this.#registries.delete(domain)
      if (left !== undefined) this.#end(domain, left)
    }
  }

  #end(domain: string, { scope, running }: JoinedRegistry): void {
    const ended = scope.close().then(() => running)
    ended.catch((error) =>
      this.#options.logger.warn('Cannot close the channel to the registry of a domain', { domain, error }),
    )
    this.#ending.add(ended)
    void ended.finally(() => this.#ending.delete(ended)).catch(() => {})
  }

  #start(domain: string, addresses: readonly string[]): void {
    const registry: JoinedRegistry = {
      scope: new Scope(),
      channel: undefined,
      byAddress: new Map(),
      addresses,
      problem: 'not connected yet',
      running: Promise.resolve(),
    }
    this.#registries.set(domain, registry)
    registry.running = this.#run(domain, registry)
  }

  async #run(domain: string, registry: JoinedRegistry): Promise<void> {
    const { trust, clock, logger } = this.#options
    const onFailure = (error: unknown) => {
      registry.problem = describeError(error)
    }
    const log = { logger: logger.with({ domain }), message: 'The registry of a joined domain does not answer' }
    let at = 0
    await follow({ clock, retry: RETRY, signal: registry.scope.signal, log, onFailure }, async (works) => {
      if (trust.joinedDomain(domain) === undefined) return // it is about to be dropped
      const { addresses } = registry
      const index = at % addresses.length
      at = index + 1 // where this address does not work, the next attempt calls another one
      const onAnswer = () => {
        at = index
        works()
      }
      registry.channel = this.#channelTo(addresses[index] ?? '', domain, registry)
      await this.#watch(registry.channel, domain, { registry, onAnswer })
      registry.problem = 'the other registry ended the watch: it may have revoked this domain'
    })
  }

  /** A channel stays when the watch over it ends: others call over it, too. */
  #channelTo(address: string, domain: string, { scope, byAddress }: JoinedRegistry): RegistryChannel {
    const channel = byAddress.get(address) ?? scope.own(this.#options.channels.member(address, domain))
    byAddress.set(address, channel)
    return channel
  }

  async #watch(
    channel: RegistryChannel,
    domain: string,
    { registry, onAnswer }: { readonly registry: JoinedRegistry; onAnswer(): void },
  ): Promise<void> {
    const { trust, clock } = this.#options
    const { signal } = registry.scope
    const introduction = introductionToProto(trust.introduction)
    const messages = channel.federation.watchBundle({ introduction }, { isEndless: true, signal })
    for await (const message of paced(messages, { ...PACE, clock, signal })) {
      await this.#learn(domain, introductionFromProto(message, trust.introductionRules(clock.nowMs())))
      registry.problem = ''
      onAnswer()
    }
  }

  async #learn(domain: string, introduction: Introduction): Promise<void> {
    const { trust, clock, logger } = this.#options
    if (!(await learnDomain(trust.records, { domain, introduction, nowMs: clock.nowMs() }))) return
    logger.info('A domain has new authorities or addresses', { domain, revision: introduction.revision })
  }
}
