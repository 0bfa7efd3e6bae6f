import type {
  Call,
  EndpointRegistryServer,
  Found,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { shareOf } from '../policy/index.ts'
import { EndpointExpiry, expiryMs } from './endpoint-expiry.ts'
import { viewOf } from './find/caller-view.ts'
import { findRecords, watchRecords } from './find/find-records.ts'
import { narrowEndpointQuery } from './find/narrow-query.ts'
import { routeEndpointQuery } from './find/route-query.ts'
import type { RegistryOptions } from './registry-options.ts'
import { generateName } from './rules/generate-name.ts'
import { checkEndpoint, checkNodeQuota, MAX_ENDPOINTS_PER_OWNER } from './rules/limits.ts'
import { matchesEndpoint } from './rules/matches.ts'
import { checkName } from './rules/names.ts'
import { checkMayRemove, checkNode, pathIdsOf } from './rules/ownership.ts'
import { checkMayServe, checkServingPolicy } from './rules/serving.ts'
import { endpointCodec } from './store/record-codec.ts'
import type { RegistryStore } from './store/registry-store.ts'

export interface EndpointRegistryOptions extends RegistryOptions {
  /** Lifetime of a registration that is not refreshed. */
  readonly defaultExpiryMs: number
}

/** NSM's NetworkServiceEndpointRegistry. An endpoint lives for as long as its owner refreshes it. */
export class EndpointRegistry implements EndpointRegistryServer {
  readonly #options: EndpointRegistryOptions
  readonly #expiry: EndpointExpiry

  private constructor(options: EndpointRegistryOptions, expiry: EndpointExpiry) {
    this.#options = options
    this.#expiry = expiry
  }

  static async open(options: EndpointRegistryOptions): Promise<EndpointRegistry> {
    const expiry = new EndpointExpiry(options.store.endpoints, options)
    await expiry.start(options.defaultExpiryMs)
    return new EndpointRegistry(options, expiry)
  }

  async register(asked: NetworkServiceEndpoint, call: Call): Promise<NetworkServiceEndpoint> {
    const { domain, nodes, queue, clock, defaultExpiryMs } = this.#options
    checkNode(call, domain)
    const name = asked.name === '' ? generateName('nse') : asked.name
    const pathIds = pathIdsOf(asked, call)
    checkEndpoint({ ...asked, name })
    for (const service of asked.networkServiceNames) {
      const labels = asked.networkServiceLabels.get(service) ?? {}
      checkServingPolicy(this.#options.policy, pathIds, { service, endpoint: name, labels })
    }
    await nodes.check(call.peer.spiffeId, asked.url)
    const before = await this.#options.store.endpoints.get(name)
    if (addsNames(asked, before)) await nodes.checkWorkload(pathIds[0] ?? '', call.peer.spiffeId)
    const expiresMs = expiryMs([asked.expiresMs, call.token?.expiresMs], clock.nowMs(), defaultExpiryMs)
    return queue.run('register', () => this.#save({ ...asked, name, pathIds, expiresMs }))
  }

  async #save({ claim, ...asked }: NetworkServiceEndpoint): Promise<NetworkServiceEndpoint> {
    const { store, claims, clock } = this.#options
    const [owner = '', node = owner] = asked.pathIds
    const stored = await store.endpoints.get(asked.name)
    if (addsNames(asked, stored)) claims.checkNewEndpoint({ ...asked, ...(claim === undefined ? {} : { claim }) })
    if (stored === undefined) await this.#checkQuota(owner)
    for (const service of asked.networkServiceNames) {
      checkMayServe(service, owner, await holdersOf(service, store))
    }
    const endpoint = { ...asked, registeredMs: stored?.registeredMs ?? clock.nowMs() }
    const [before, after] = [stored === undefined ? '' : endpointCodec.encode(stored), endpointCodec.encode(endpoint)]
    checkNodeQuota(node, await store.bytesOf(node), { before, after })
    await store.endpoints.put(endpoint)
    if (addsNames(asked, stored)) await this.#checkStillMayServe(endpoint)
    if (endpoint.expiresMs !== undefined) this.#expiry.expect(endpoint.expiresMs)
    return { ...endpoint, claim: claims.claimOf(endpoint) }
  }

  find({ endpoint, watch }: NetworkServiceEndpointQuery, call: Call): AsyncIterable<Found<NetworkServiceEndpoint>> {
    const { domain, store, others, turns } = this.#options
    const view = viewOf(call, this.#options)
    const caller = shareOf(call.peer.spiffeId, domain)
    const { query, otherDomain } = routeEndpointQuery(endpoint, domain)
    if (otherDomain !== undefined) {
      return others.findEndpoints({ query, watch, domain: otherDomain, view, caller, signal: call.signal })
    }
    const show = (value: NetworkServiceEndpoint) => {
      const shown = view.endpoint(value)
      return shown !== undefined && matchesEndpoint(query, shown) ? shown : undefined
    }
    const queries = () => narrowEndpointQuery(query, view)
    const search = { records: store.endpoints, queries, show, view, turns, caller, signal: call.signal }
    return watch ? watchRecords(search) : findRecords(search)
  }

  async unregister(asked: NetworkServiceEndpoint, call: Call): Promise<void> {
    checkNode(call, this.#options.domain)
    checkName('name', asked.name)
    const stored = await this.#options.store.endpoints.get(asked.name)
    if (stored === undefined) return
    checkMayRemove(stored, asked, call)
    await this.#options.store.endpoints.remove(asked.name)
  }

  close(): void {
    this.#expiry.close()
  }

  /** Of two that begin to serve a service at the same time, at two registries, none may stay unless both may. */
  async #checkStillMayServe({ name, networkServiceNames, pathIds: [owner = ''] }: NetworkServiceEndpoint) {
    const { store } = this.#options
    try {
      for (const service of networkServiceNames) checkMayServe(service, owner, await holdersOf(service, store))
    } catch (error) {
      await store.endpoints.remove(name)
      throw error
    }
  }

  async #checkQuota(owner: string): Promise<void> {
    if ((await this.#options.store.endpoints.countOwned(owner)) < MAX_ENDPOINTS_PER_OWNER) return
    throw new NsmError('resource_exhausted', 'Cannot register the endpoint: its owner has too many', {
      fields: { owner, most: MAX_ENDPOINTS_PER_OWNER },
      next: 'unregister the endpoints that no longer serve',
    })
  }
}

/** Whether the endpoint is new, or serves what it has not served. */
function addsNames(
  { networkServiceNames }: Pick<NetworkServiceEndpoint, 'networkServiceNames'>,
  stored: NetworkServiceEndpoint | undefined,
): boolean {
  return stored === undefined || networkServiceNames.some((service) => !stored.networkServiceNames.includes(service))
}

/** Who decides on the service: its owner, or, where it has none, those who serve it. */
async function holdersOf(service: string, { services, endpoints }: RegistryStore): Promise<readonly string[]> {
  const owner = (await services.get(service))?.pathIds[0]
  return owner === undefined ? endpoints.ownersServing(service) : [owner]
}
