/**
 * Finds services and endpoints in other domains: the query goes to the other domain's registry without `@domain`, the
 * answers come back with it. Earlier answers are served for a while when the other registry is away.
 */
import type {
  EndpointRegistryClient,
  Found,
  NetworkService,
  NetworkServiceEndpoint,
  ServiceRegistryClient,
} from '../../api/index.ts'
import { type Clock, type LimitedLogger, type Logger, limitedLogger, NsmError } from '../../base/index.ts'
import { isRoutable, type Reach } from '../../net/index.ts'
import { CallQuotas } from '../../rpc/index.ts'
import type { CallerView } from '../find/caller-view.ts'
import { endpointCodec, serviceCodec } from '../store/record-codec.ts'
import type { RegistryRecord } from '../store/registry-store.ts'
import { importEndpoint, importService, type Origin } from './import-record.ts'
import { InterdomainFinder, type InterdomainQuery } from './interdomain-finder.ts'

export interface OtherRegistry {
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
}

/**
 * How often one caller may ask other domains, and how many watches it may hold there: to each of them, all callers of this
 * domain are one.
 */
const QUOTA = { callsPerSecond: 200, burst: 250, watches: 128 }

export interface OtherDomainsOptions {
  /** @throws {NsmError} `not_found` when `domain` has not joined. */
  registryOf(domain: string): OtherRegistry
  /** Where the nodes of other domains may be; every other machine by default. */
  readonly reach?: Reach
  readonly clock: Clock
  readonly logger: Logger
}

export interface OtherSearch<T> extends InterdomainQuery<T> {
  readonly watch: boolean
  readonly view: CallerView
  /** Whose quota the search uses. */
  readonly caller: string
}

export class OtherDomains {
  readonly #services: InterdomainFinder<NetworkService>
  readonly #endpoints: InterdomainFinder<NetworkServiceEndpoint>
  readonly #logger: LimitedLogger
  readonly #quotas: CallQuotas
  readonly #clock: Clock

  constructor({ registryOf, reach = isRoutable, clock, logger: unlimited }: OtherDomainsOptions) {
    const logger = limitedLogger(unlimited, { clock, by: ['domain'] })
    this.#logger = logger
    this.#quotas = new CallQuotas(QUOTA, clock)
    this.#clock = clock
    const origin = (domain: string): Origin => ({ domain, nowMs: clock.nowMs(), reach })
    const checkJoined = (domain: string) => void registryOf(domain)
    this.#services = new InterdomainFinder({
      checkJoined,
      ask: ({ domain, query, signal }, watch) =>
        registryOf(domain).services.find({ service: query, watch }, { signal }),
      accept: (service, domain) => importService(origin(domain), service),
      encode: serviceCodec.encode,
      clock,
      logger,
    })
    this.#endpoints = new InterdomainFinder({
      checkJoined,
      ask: ({ domain, query, signal }, watch) =>
        registryOf(domain).endpoints.find({ endpoint: query, watch }, { signal }),
      accept: (endpoint, domain) => importEndpoint(origin(domain), endpoint),
      encode: endpointCodec.encode,
      clock,
      logger,
    })
  }

  close(): void {
    this.#logger.close()
  }

  findServices(search: OtherSearch<NetworkService>): AsyncIterable<Found<NetworkService>> {
    return this.#find(this.#services, search)
  }

  findEndpoints(search: OtherSearch<NetworkServiceEndpoint>): AsyncIterable<Found<NetworkServiceEndpoint>> {
    return this.#find(this.#endpoints, search)
  }

  #find<T extends RegistryRecord>(finder: InterdomainFinder<T>, search: OtherSearch<T>): AsyncIterable<Found<T>> {
    if (!search.view.isWhole) throw isThird(search.domain)
    return this.#findWithin(finder, search)
  }

  async *#findWithin<T extends RegistryRecord>(
    finder: InterdomainFinder<T>,
    search: OtherSearch<T>,
  ): AsyncGenerator<Found<T>> {
    const { caller, watch, signal } = search
    const waitMs = this.#quotas.takeTurn(caller)
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
    if (!watch) return yield* finder.find(search)
    this.#quotas.openWatch(caller)
    try {
      yield* finder.watch(search)
    } finally {
      this.#quotas.closeWatch(caller)
    }
  }
}

function isThird(domain: string): NsmError {
  return new NsmError('permission_denied', 'Cannot search a third domain: only callers of this domain may do that', {
    fields: { domain },
    next: 'join that domain and ask it directly',
  })
}
