import { isDeepStrictEqual } from 'node:util'
import type { Call, Found, NetworkService, NetworkServiceQuery, ServiceRegistryServer } from '../api/index.ts'
import { PAYLOAD_IP } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { shareOf } from '../policy/index.ts'
import { viewOf } from './find/caller-view.ts'
import { findRecords, watchRecords } from './find/find-records.ts'
import { narrowServiceQuery } from './find/narrow-query.ts'
import { routeServiceQuery } from './find/route-query.ts'
import type { RegistryOptions } from './registry-options.ts'
import { generateName } from './rules/generate-name.ts'
import { checkNodeQuota, checkService, MAX_SERVICES_PER_OWNER } from './rules/limits.ts'
import { matchesService } from './rules/matches.ts'
import { checkName } from './rules/names.ts'
import { checkMayRemove, checkNode, pathIdsOf } from './rules/ownership.ts'
import { checkMayServe, checkServingPolicy, isOfOneTenant } from './rules/serving.ts'
import { ServiceExpiry } from './service-expiry.ts'
import { serviceCodec } from './store/record-codec.ts'

/** NSM's NetworkServiceRegistry. A service lives until its owner unregisters it, or nobody has served it for an hour. */
export class ServiceRegistry implements ServiceRegistryServer {
  readonly #options: RegistryOptions
  readonly #expiry: ServiceExpiry

  constructor(options: RegistryOptions) {
    this.#options = options
    this.#expiry = new ServiceExpiry(options)
  }

  close(): void {
    this.#expiry.close()
  }

  async register(asked: NetworkService, call: Call): Promise<NetworkService> {
    const { domain, queue } = this.#options
    checkNode(call, domain)
    const service = {
      ...asked,
      name: asked.name === '' ? generateName('netsvc') : asked.name,
      payload: asked.payload === '' ? PAYLOAD_IP : asked.payload,
      pathIds: pathIdsOf(asked, call),
    }
    checkService({ ...service, payload: asked.payload })
    checkServingPolicy(this.#options.policy, service.pathIds, { service: service.name })
    const [owner = ''] = service.pathIds
    const isNew = (await this.#options.store.services.get(service.name)) === undefined
    if (isNew) await this.#options.nodes.checkWorkload(owner, call.peer.spiffeId)
    return queue.run('register', () => this.#save(service))
  }

  async #save(service: NetworkService): Promise<NetworkService> {
    const { store, claims } = this.#options
    const { services, endpoints } = store
    const [owner = '', node = owner] = service.pathIds
    const stored = await services.get(service.name)
    // Every endpoint of a service may register the service as it is; only its owner may change it. What an administrator
    // has written has no owner: it is theirs alone, and endpoints serve it as it is.
    if (stored !== undefined && (isSame(stored, service) || hasNoOwner(stored))) {
      // Whoever may not serve it does not keep its name from others.
      if (isOfOneTenant(owner, stored.pathIds[0] ?? '')) this.#expiry.keep(service.name)
      return stored
    }
    if (stored === undefined) {
      await this.#checkQuota(owner)
      const holders = await endpoints.ownersServing(service.name)
      claims.checkNewService(service.name, holders)
      checkMayServe(service.name, owner, holders)
    }
    const [before, after] = [stored === undefined ? '' : serviceCodec.encode(stored), serviceCodec.encode(service)]
    checkNodeQuota(node, await store.bytesOf(node), { before, after })
    await services.put(service)
    this.#expiry.keep(service.name)
    return service
  }

  find({ service, watch }: NetworkServiceQuery, call: Call): AsyncIterable<Found<NetworkService>> {
    const { domain, store, others, turns } = this.#options
    const view = viewOf(call, this.#options)
    const caller = shareOf(call.peer.spiffeId, domain)
    const { query, otherDomain } = routeServiceQuery(service, domain)
    if (otherDomain !== undefined) {
      return others.findServices({ query, watch, domain: otherDomain, view, caller, signal: call.signal })
    }
    const show = (value: NetworkService) => (matchesService(query, value) ? view.service(value) : undefined)
    const queries = () => narrowServiceQuery(query, view)
    const search = { records: store.services, queries, show, view, turns, caller, signal: call.signal }
    return watch ? watchRecords(search) : findRecords(search)
  }

  async unregister(asked: NetworkService, call: Call): Promise<void> {
    checkNode(call, this.#options.domain)
    checkName('name', asked.name)
    const stored = await this.#options.store.services.get(asked.name)
    if (stored === undefined) return
    checkMayRemove(stored, asked, call)
    await this.#options.store.services.remove(asked.name)
  }

  async #checkQuota(owner: string): Promise<void> {
    if ((await this.#options.store.services.countOwned(owner)) < MAX_SERVICES_PER_OWNER) return
    throw new NsmError('resource_exhausted', 'Cannot register the network service: its owner has too many', {
      fields: { owner, most: MAX_SERVICES_PER_OWNER },
      next: 'unregister the services that are no longer offered',
    })
  }
}

function hasNoOwner({ pathIds }: NetworkService): boolean {
  return pathIds.length === 0
}

function isSame(a: NetworkService, b: NetworkService): boolean {
  return a.payload === b.payload && isDeepStrictEqual(a.matches, b.matches)
}
