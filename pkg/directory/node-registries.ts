/**
 * The registries as a node serves them. Endpoints of this machine register here: the domain's registry learns the URL of
 * the node, the node keeps those of the endpoints. Everything else is passed on.
 */
import {
  type Call,
  type EndpointRegistryServer,
  type Found,
  type NetworkService,
  type NetworkServiceEndpoint,
  type NetworkServiceEndpointQuery,
  type NetworkServiceQuery,
  type ServiceRegistryServer,
  trustDomainOf,
} from '../api/index.ts'
import { type Clock, describeError, isAway, type Logger, NsmError, Places } from '../base/index.ts'
import { checkAllowed, type PolicySource, shareOf } from '../policy/index.ts'
import type { RegisteredEndpoint, RegisteredEndpoints } from './registered-endpoints.ts'
import type { RegistryClients } from './registry-directory.ts'

/** How long a registration counts that the registry could not confirm: endpoints renew well before. */
const UNCONFIRMED_MS = 60_000

/**
 * Searches that this node passes on at a time: they share its connection to the registry with its own calls, and some of
 * them have no end.
 */
const SEARCHES = { what: 'a search in the registry', perHolder: 16, total: 24 }

/** The node at which endpoints register. */
export interface RegisteringNode {
  readonly name: string
  readonly domain: string
  /** Under which others reach it, and thereby its endpoints. */
  readonly publicUrl: string
}

export interface NodeRegistryParts {
  readonly self: RegisteringNode
  readonly registry: RegistryClients
  readonly registered: RegisteredEndpoints
  readonly policy: PolicySource
  readonly clock: Clock
  readonly logger: Logger
}

export class NodeEndpointRegistry implements EndpointRegistryServer {
  readonly #parts: NodeRegistryParts
  readonly #searches = new Places(SEARCHES)

  constructor(parts: NodeRegistryParts) {
    this.#parts = parts
  }

  async register(asked: NetworkServiceEndpoint, call: Call): Promise<NetworkServiceEndpoint> {
    const { registered, policy, clock } = this.#parts
    checkWorkload(this.#parts.self, call)
    checkUrl(asked.url, call)
    const networkServiceLabels = labelled(this.#parts.self, asked)
    for (const service of asked.networkServiceNames) {
      checkMayServe(policy, { ...asked, service, networkServiceLabels }, call)
    }
    const known = registered.get(asked.name)
    checkOwner(known, call)
    registered.keepers.check(asked.name, call.peer, asked.name)
    const endpoint = await this.#registerAbove(asked, call, known)
    const expiresMs = endpoint.expiresMs ?? clock.nowMs() + UNCONFIRMED_MS
    const { networkServiceNames } = endpoint
    registered.save({ endpoint, url: asked.url, owner: call.peer.spiffeId, networkServiceNames, expiresMs })
    registered.keepers.keep(endpoint.name, call.peer)
    return { ...endpoint, url: asked.url }
  }

  /** Leaves out endpoints that the registry takes to be here and that have not registered again since a restart. */
  async *find(query: NetworkServiceEndpointQuery, call: Call): AsyncIterable<Found<NetworkServiceEndpoint>> {
    const { self, registry, registered, policy } = this.#parts
    checkOwnDomain(self, call)
    const leave = this.#searches.take(searcherOf(self, call))
    try {
      for await (const found of registry.endpoints.find(query, { signal: call.signal })) {
        const isHere = found.value.url === self.publicUrl
        const { name: endpoint, networkServiceNames } = found.value
        if (!networkServiceNames.every((service) => mayWatch(policy, { service, endpoint }, call))) continue
        if (found.deleted || !isHere || registered.get(found.value.name) !== undefined) yield found
      }
    } finally {
      leave()
    }
  }

  async unregister(asked: NetworkServiceEndpoint, call: Call): Promise<void> {
    const { self, registry, registered } = this.#parts
    checkWorkload(self, call)
    checkOwner(registered.get(asked.name), call)
    registered.keepers.check(asked.name, call.peer, asked.name)
    registered.delete(asked.name)
    await registry.endpoints.unregister(onBehalf({ ...asked, url: self.publicUrl }, call), passOn(call))
  }

  /** A known endpoint stays usable on this machine, and where it is cached, while the registry is away. */
  async #registerAbove(
    asked: NetworkServiceEndpoint,
    call: Call,
    known: RegisteredEndpoint | undefined,
  ): Promise<NetworkServiceEndpoint> {
    const { self, registry, clock, logger } = this.#parts
    const claim = known?.endpoint.claim
    const labels = labelled(self, asked)
    const ours = {
      ...asked,
      url: self.publicUrl,
      networkServiceLabels: labels,
      ...(claim === undefined ? {} : { claim }),
    }
    const endpoint = onBehalf(ours, call)
    try {
      return await registry.endpoints.register(endpoint, passOn(call))
    } catch (error) {
      if (known === undefined || !isAway(error)) throw error
      logger.warn('Cannot renew a registration yet: the registry is away', {
        endpoint: asked.name,
        error: describeError(error),
      })
      return { ...endpoint, expiresMs: clock.nowMs() + UNCONFIRMED_MS }
    }
  }
}

type NodeServiceParts = Pick<NodeRegistryParts, 'self' | 'registry' | 'policy'>

/** Network services live in the registry alone; a node says on whose behalf it asks, and holds its workloads to the policy. */
export class NodeServiceRegistry implements ServiceRegistryServer {
  readonly #parts: NodeServiceParts
  readonly #searches = new Places(SEARCHES)

  constructor(parts: NodeServiceParts) {
    this.#parts = parts
  }

  async register(asked: NetworkService, call: Call): Promise<NetworkService> {
    checkWorkload(this.#parts.self, call)
    checkMayServe(this.#parts.policy, { service: asked.name }, call)
    return this.#parts.registry.services.register(onBehalf(asked, call), passOn(call))
  }

  async *find(query: NetworkServiceQuery, call: Call): AsyncIterable<Found<NetworkService>> {
    const { self, registry, policy } = this.#parts
    checkOwnDomain(self, call)
    const leave = this.#searches.take(searcherOf(self, call))
    try {
      for await (const found of registry.services.find(query, { signal: call.signal })) {
        if (mayWatch(policy, { service: found.value.name }, call)) yield found
      }
    } finally {
      leave()
    }
  }

  async unregister(asked: NetworkService, call: Call): Promise<void> {
    checkWorkload(this.#parts.self, call)
    await this.#parts.registry.services.unregister(onBehalf(asked, call), passOn(call))
  }
}

/** Registered in the name of the workload that asks: the registry holds the name for it, not for its node. */
function onBehalf<T extends { readonly pathIds: readonly string[] }>(value: T, { peer }: Call): T {
  return { ...value, pathIds: [peer.spiffeId] }
}

function passOn({ path, signal }: Call) {
  return path === undefined ? { signal } : { path, signal }
}

function labelled(
  { name }: RegisteringNode,
  asked: NetworkServiceEndpoint,
): NetworkServiceEndpoint['networkServiceLabels'] {
  const services = asked.networkServiceNames
  return new Map(services.map((each) => [each, { nodeName: name, ...asked.networkServiceLabels.get(each) }]))
}

function checkWorkload({ domain }: RegisteringNode, { peer }: Call): void {
  if (peer.attestation !== undefined && trustDomainOf(peer.spiffeId) === domain) return
  throw new NsmError('permission_denied', 'Cannot register: no sufficient privileges', {
    fields: { caller: peer.spiffeId },
    next: 'register at the node daemon of your own machine',
  })
}

interface Served {
  readonly service: string
  /** The name of the endpoint; empty for the service itself. */
  readonly name?: string
  readonly networkServiceLabels?: NetworkServiceEndpoint['networkServiceLabels']
}

function checkMayServe(
  policy: PolicySource,
  { service, name = '', networkServiceLabels }: Served,
  { peer }: Call,
): void {
  const labels = networkServiceLabels?.get(service) ?? {}
  const question = { caller: peer.spiffeId, service, endpoint: name, labels, isAllowedByDefault: true }
  checkAllowed(policy, { action: 'serve', ...question })
}

function mayWatch(
  policy: PolicySource,
  what: { readonly service: string; readonly endpoint?: string },
  { peer }: Call,
): boolean {
  const question = { action: 'watch', caller: peer.spiffeId, ...what, isAllowedByDefault: true } as const
  return policy.current().decide(question).isAllowed
}

function searcherOf({ domain }: RegisteringNode, { peer }: Call): string {
  return peer.attestation?.account ?? shareOf(peer.spiffeId, domain)
}

function checkOwnDomain({ domain }: RegisteringNode, { peer }: Call): void {
  if (trustDomainOf(peer.spiffeId) === domain) return
  throw new NsmError('permission_denied', 'Cannot search the registry here: no sufficient privileges', {
    fields: { caller: peer.spiffeId },
    next: "ask your own domain's registry for name@domain",
  })
}

function checkOwner(known: RegisteredEndpoint | undefined, { peer }: Call): void {
  if (known === undefined || known.owner === peer.spiffeId) return
  throw new NsmError('permission_denied', 'Cannot change the endpoint: it belongs to another workload', {
    fields: { endpoint: known.endpoint.name, caller: peer.spiffeId },
    next: 'choose another name with NSM_NAME',
  })
}

/** Under `pod://` this daemon answers itself, for the pod that registers and for no other. */
function checkUrl(url: string, { peer: { attestation } }: Call): void {
  if (/^unix:\/\/\/[^\0]+$/.test(url) || /^inode:\/\/\d+\/\d+$/.test(url)) return
  const pod = /^pod:\/\/([^/]+)\/[^/]+$/.exec(url)?.[1]
  if (pod !== undefined && pod === attestation?.pod) return
  throw new NsmError('invalid_argument', 'Cannot register the endpoint: its URL is not one of this machine', {
    fields: { url: url.slice(0, 256) },
    next: 'give unix:///path, or the inode://dev/ino of a descriptor that you pass',
  })
}
