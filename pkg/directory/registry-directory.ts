/**
 * The registry as the request chain asks it. A service that somebody asked for is watched from then on: what stands and
 * what is often asked for costs no call, and works while the registry is away.
 */
import type {
  EndpointRegistryClient,
  Found,
  Labels,
  NetworkService,
  NetworkServiceEndpoint,
  ServiceRegistryClient,
} from '../api/index.ts'
import { type Clock, type Logger, NsmError, within } from '../base/index.ts'
import { matchEndpoints } from './match-endpoints.ts'
import { WatchedSet } from './watched-set.ts'

/**
 * Services that are watched at a time; beyond that, the one whose last request is oldest is let go. Each takes two of
 * the 100 streams that a registry allows on a connection, and calls need the rest.
 */
const MAX_WATCHED = 32
const CALL_MS = 5_000

export interface RegistryClients {
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
}

export interface RegistryDirectoryOptions extends RegistryClients {
  readonly clock: Clock
  readonly logger: Logger
}

interface Watched {
  readonly services: WatchedSet<NetworkService>
  readonly endpoints: WatchedSet<NetworkServiceEndpoint>
}

export class RegistryDirectory {
  readonly #options: RegistryDirectoryOptions
  readonly #watched = new Map<string, Watched>()

  constructor(options: RegistryDirectoryOptions) {
    this.#options = options
  }

  /** Of a service that has endpoints, the registry is asked once: it is watched from then on. */
  async service(name: string, signal: AbortSignal): Promise<NetworkService> {
    if (this.#touch(name) === undefined) await this.endpoints(name, signal)
    const watched = this.#touch(name)?.services.values()[0]
    if (watched !== undefined) return watched
    const [found] = await this.#ask(findService(this.#options.services, name), signal)
    if (found !== undefined) return found
    throw new NsmError('not_found', 'Cannot find the network service', {
      fields: { networkService: name },
      next: 'list the services with: nsmctl get services',
    })
  }

  /** The endpoints to which the service's matches lead a client with `labels`. */
  async matching(
    { service, labels }: { readonly service: string; readonly labels: Labels },
    signal: AbortSignal,
  ): Promise<readonly NetworkServiceEndpoint[]> {
    const found = await this.service(service, signal)
    return matchEndpoints(found, await this.endpoints(service, signal), labels)
  }

  /** All that serve `service` and have not expired: those that the watch knows, or, where it knows none, the registry. */
  async endpoints(service: string, signal: AbortSignal): Promise<readonly NetworkServiceEndpoint[]> {
    const known = this.#known(service)
    if (known.length > 0) return known
    const found = this.#alive(await this.#ask(findEndpoints(this.#options.endpoints, service), signal))
    // We watch only what exists: a client that asks for random names must not cost a stream for each.
    if (found.length > 0) this.#watch(service, { services: await this.#services(service, signal), endpoints: found })
    return found
  }

  async endpoint(name: string, signal: AbortSignal): Promise<NetworkServiceEndpoint> {
    const find = (_watch: boolean, each: AbortSignal) =>
      this.#options.endpoints.find({ endpoint: { name }, watch: false }, { signal: each })
    const [found] = this.#alive(await this.#ask(find, signal))
    if (found !== undefined) return found
    throw new NsmError('not_found', 'Cannot find the endpoint', {
      fields: { endpoint: name },
      next: 'list the endpoints with: nsmctl get endpoints',
    })
  }

  async close(): Promise<void> {
    const all = [...this.#watched.values()]
    this.#watched.clear()
    await Promise.all(all.map(stop))
  }

  /** An expiry counts only while owners can renew: with the registry away, all of them would pass. */
  #known(service: string): readonly NetworkServiceEndpoint[] {
    const watched = this.#touch(service)?.endpoints
    if (watched === undefined) return []
    return watched.isLive ? this.#alive(watched.values()) : watched.values()
  }

  #services(name: string, signal: AbortSignal): Promise<readonly NetworkService[]> {
    return this.#ask(findService(this.#options.services, name), signal)
  }

  #touch(service: string): Watched | undefined {
    const watched = this.#watched.get(service)
    if (watched === undefined) return undefined
    this.#watched.delete(service)
    this.#watched.set(service, watched)
    return watched
  }

  #watch(
    service: string,
    seed: { services: readonly NetworkService[]; endpoints: readonly NetworkServiceEndpoint[] },
  ): void {
    if (this.#watched.has(service)) return
    const { services, endpoints, clock, logger } = this.#options
    const common = { clock, logger: logger.with({ networkService: service }) }
    this.#watched.set(service, {
      services: new WatchedSet({ ...common, find: findService(services, service) }, seed.services),
      endpoints: new WatchedSet({ ...common, find: findEndpoints(endpoints, service) }, seed.endpoints),
    })
    const [oldest] = this.#watched
    if (this.#watched.size <= MAX_WATCHED || oldest === undefined) return
    this.#watched.delete(oldest[0])
    void stop(oldest[1])
  }

  #ask<T>(find: (watch: boolean, signal: AbortSignal) => AsyncIterable<Found<T>>, signal: AbortSignal): Promise<T[]> {
    const { clock } = this.#options
    return within({ clock, ms: CALL_MS, signal }, async (until) => {
      const found: T[] = []
      for await (const { value } of find(false, until)) found.push(value)
      return found
    })
  }

  #alive(endpoints: readonly NetworkServiceEndpoint[]): readonly NetworkServiceEndpoint[] {
    const nowMs = this.#options.clock.nowMs()
    return endpoints.filter(({ expiresMs }) => expiresMs === undefined || expiresMs > nowMs)
  }
}

function findService(services: ServiceRegistryClient, name: string) {
  return (watch: boolean, signal: AbortSignal) => services.find({ service: { name }, watch }, { signal })
}

function findEndpoints(endpoints: EndpointRegistryClient, service: string) {
  return (watch: boolean, signal: AbortSignal) =>
    endpoints.find({ endpoint: { networkServiceNames: [service] }, watch }, { signal })
}

async function stop({ services, endpoints }: Watched): Promise<void> {
  await Promise.all([services.close(), endpoints.close()])
}
