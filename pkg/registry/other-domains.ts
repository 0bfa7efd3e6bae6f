/**
 * Finds in other domains: the query goes to the other domain's registry without `@domain`, the answers come back
 * with it. What was answered before is served for a while when the other registry is away.
 */
import type {
  EndpointRegistryClient,
  Found,
  NetworkService,
  NetworkServiceEndpoint,
  ServiceRegistryClient,
} from '../api/index.ts'
import { type Clock, type Logger, NsmError } from '../base/index.ts'
import { Across, type AcrossSearch } from './across.ts'
import { endpointFrom, type Origin, serviceFrom } from './from-other-domain.ts'
import { isReachableUrl } from './reachable-url.ts'
import { endpointCodec, serviceCodec } from './record-codec.ts'
import type { RegistryRecord } from './store.ts'
import type { View } from './view.ts'

export interface OtherRegistry {
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
}

export interface OtherDomainsOptions {
  /** @throws {NsmError} `not_found` when `domain` has not joined. */
  registryOf(domain: string): OtherRegistry
  /** Which URLs of endpoints are taken; {@link isReachableUrl} unless a test runs on loopback. */
  readonly acceptsUrl?: ((url: string) => boolean) | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export interface OtherSearch<T> extends AcrossSearch<T> {
  readonly watch: boolean
  readonly view: View
}

export class OtherDomains {
  readonly #services: Across<NetworkService>
  readonly #endpoints: Across<NetworkServiceEndpoint>

  constructor({ registryOf, acceptsUrl = isReachableUrl, clock, logger }: OtherDomainsOptions) {
    const origin = (domain: string): Origin => ({ domain, nowMs: clock.nowMs(), acceptsUrl })
    const checkJoined = (domain: string) => void registryOf(domain)
    this.#services = new Across({
      checkJoined,
      ask: ({ domain, query, signal }, watch) =>
        registryOf(domain).services.find({ service: query, watch }, { signal }),
      accept: (service, domain) => serviceFrom(origin(domain), service),
      encode: serviceCodec.encode,
      clock,
      logger,
    })
    this.#endpoints = new Across({
      checkJoined,
      ask: ({ domain, query, signal }, watch) =>
        registryOf(domain).endpoints.find({ endpoint: query, watch }, { signal }),
      accept: (endpoint, domain) => endpointFrom(origin(domain), endpoint),
      encode: endpointCodec.encode,
      clock,
      logger,
    })
  }

  findServices(search: OtherSearch<NetworkService>): AsyncIterable<Found<NetworkService>> {
    return find(this.#services, search)
  }

  findEndpoints(search: OtherSearch<NetworkServiceEndpoint>): AsyncIterable<Found<NetworkServiceEndpoint>> {
    return find(this.#endpoints, search)
  }
}

function find<T extends RegistryRecord>(across: Across<T>, search: OtherSearch<T>): AsyncIterable<Found<T>> {
  if (!search.view.isWhole) {
    throw new NsmError('permission_denied', 'Cannot search a third domain: only callers of this domain may', {
      fields: { domain: search.domain },
      next: 'Join that domain and ask it directly.',
    })
  }
  return search.watch ? across.watch(search) : across.find(search)
}
