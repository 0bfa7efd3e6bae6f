import { describe, expect, it } from 'vitest'
import type { Call, Found, NetworkService, NetworkServiceEndpoint, Outgoing } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { TestPolicies } from '../policy/testing/index.ts'
import {
  type EndpointStore,
  keepRegistered,
  NodeEndpointRegistry,
  NodeServiceRegistry,
  type RegisteredEndpoint,
  RegisteredEndpoints,
  type RegisteringNode,
  RegistryDirectory,
} from './index.ts'

const signal = new AbortController().signal

function endpoint(name: string, change: Partial<NetworkServiceEndpoint> = {}): NetworkServiceEndpoint {
  const base = { networkServiceNames: ['files'], networkServiceLabels: new Map(), url: 'tcp://192.0.2.9:5001' }
  return { ...base, name, expiresMs: undefined, registeredMs: undefined, pathIds: [], ...change }
}

/** A registry with watches, that can be away. */
class TestRegistry {
  readonly services = new Map<string, NetworkService>()
  readonly endpoints = new Map<string, NetworkServiceEndpoint>()
  readonly registered: NetworkServiceEndpoint[] = []
  readonly #watchers = new Set<ReadableStreamDefaultController<Found<NetworkServiceEndpoint>>>()
  calls = 0
  isAway = false

  get watchers(): number {
    return this.#watchers.size
  }

  goAway(): void {
    this.isAway = true
    for (const watcher of this.#watchers)
      watcher.error(new NsmError('unavailable', 'Cannot go on: the registry is gone'))
    this.#watchers.clear()
  }

  tell(found: Found<NetworkServiceEndpoint>): void {
    for (const watcher of this.#watchers) watcher.enqueue(found)
  }

  clients() {
    return {
      services: {
        register: async (value: NetworkService) => value,
        find: (query: { service: Partial<NetworkService>; watch: boolean }, { signal: until }: Outgoing) =>
          this.#find(this.services, { name: query.service.name, watch: query.watch, until }),
        unregister: async () => {},
      },
      endpoints: {
        register: async (value: NetworkServiceEndpoint) => this.#register(value),
        find: (query: { endpoint: Partial<NetworkServiceEndpoint>; watch: boolean }, { signal: until }: Outgoing) =>
          this.#find(this.endpoints, { name: query.endpoint.name, watch: query.watch, until }),
        unregister: async ({ name }: NetworkServiceEndpoint) => void this.endpoints.delete(name),
      },
    }
  }

  #register(value: NetworkServiceEndpoint): NetworkServiceEndpoint {
    if (this.isAway) throw new NsmError('unavailable', 'Cannot reach the registry')
    this.registered.push(value)
    this.endpoints.set(value.name, value)
    return value
  }

  #find<T extends { readonly name: string }>(
    known: ReadonlyMap<string, T>,
    { name, watch, until }: { name: string | undefined; watch: boolean; until: AbortSignal },
  ): ReadableStream<Found<T>> {
    this.calls += 1
    return new ReadableStream({
      start: (controller) => {
        if (this.isAway) return controller.error(new NsmError('unavailable', 'Cannot reach the registry'))
        for (const value of known.values())
          if (name === undefined || value.name === name) controller.enqueue({ value, deleted: false })
        if (!watch) return controller.close()
        const watcher = controller as unknown as ReadableStreamDefaultController<Found<NetworkServiceEndpoint>>
        this.#watchers.add(watcher)
        until.addEventListener('abort', () => {
          if (this.#watchers.delete(watcher)) controller.error(until.reason)
        })
      },
    })
  }
}

function directory() {
  const registry = new TestRegistry()
  const clock = new FakeClock()
  registry.services.set('files', { name: 'files', payload: 'IP', matches: [], pathIds: [] })
  registry.endpoints.set('nse-a', endpoint('nse-a', { expiresMs: clock.nowMs() + 60_000 }))
  return { registry, clock, directory: new RegistryDirectory({ ...registry.clients(), clock, logger: silentLogger }) }
}

async function names(found: Promise<readonly NetworkServiceEndpoint[]>): Promise<readonly string[]> {
  return (await found).map(({ name }) => name)
}

describe('RegistryDirectory', () => {
  it('asks once and then follows the changes', async () => {
    const { registry, clock, directory: known } = directory()
    expect(await names(known.endpoints('files', signal))).toEqual(['nse-a'])
    await clock.advance(0)
    const calls = registry.calls
    registry.tell({ value: endpoint('nse-b'), deleted: false })
    registry.tell({ value: endpoint('nse-a'), deleted: true })
    await clock.advance(0)
    expect(await names(known.endpoints('files', signal))).toEqual(['nse-b'])
    expect(await known.service('files', signal)).toMatchObject({ payload: 'IP' })
    expect(registry.calls).toBe(calls)
    await known.close()
    expect([registry.watchers, clock.pending]).toEqual([0, 0])
  })

  it('asks once for a service of which only the payload is wanted', async () => {
    const { registry, clock, directory: known } = directory()
    expect(await known.service('files', signal)).toMatchObject({ payload: 'IP' })
    await clock.advance(0)
    const calls = registry.calls
    expect(await known.service('files', signal)).toMatchObject({ payload: 'IP' })
    expect(registry.calls).toBe(calls)
    await known.close()
    expect([registry.watchers, clock.pending]).toEqual([0, 0])
  })

  it('leads a client to the endpoints of its match', async () => {
    const { registry, directory: known } = directory()
    const match = { sourceSelector: { app: 'web' }, fallthrough: false, metadata: undefined }
    const routes = [{ destinationSelector: { tier: 'b' }, weight: 1 }]
    const matches = [{ ...match, routes }]
    registry.services.set('files', { name: 'files', payload: 'IP', matches, pathIds: [] })
    const networkServiceLabels = new Map([['files', { tier: 'b' }]])
    registry.endpoints.set('nse-b', endpoint('nse-b', { networkServiceLabels }))
    const matching = (labels: Record<string, string>) => names(known.matching({ service: 'files', labels }, signal))
    expect([await matching({ app: 'web' }), await matching({ app: 'db' })]).toEqual([['nse-b'], []])
    await known.close()
  })

  it('serves what it knows for half an hour without the registry, expired or not', async () => {
    const { registry, clock, directory: known } = directory()
    await known.endpoints('files', signal)
    await clock.advance(0)
    registry.goAway()
    await clock.advance(29 * 60_000)
    expect(await names(known.endpoints('files', signal))).toEqual(['nse-a'])
    await clock.advance(2 * 60_000)
    await expect(known.endpoints('files', signal)).rejects.toMatchObject({ code: 'unavailable' })
    await known.close()
  })

  it('catches up with what changed while the registry was away', async () => {
    const { registry, clock, directory: known } = directory()
    await known.endpoints('files', signal)
    await clock.advance(0)
    registry.goAway()
    registry.endpoints.clear()
    registry.endpoints.set('nse-c', endpoint('nse-c'))
    registry.isAway = false
    await clock.advance(10_000)
    expect(await names(known.endpoints('files', signal))).toEqual(['nse-c'])
    await known.close()
  })

  it('watches nothing that does not exist', async () => {
    const { registry, directory: known } = directory()
    registry.endpoints.clear()
    for (const service of ['a', 'b', 'c']) expect(await known.endpoints(service, signal)).toEqual([])
    await expect(known.service('a', signal)).rejects.toMatchObject({
      code: 'not_found',
      fields: { networkService: 'a' },
    })
    await expect(known.endpoint('nobody', signal)).rejects.toMatchObject({ code: 'not_found' })
    expect(registry.watchers).toBe(0)
  })

  it('drops endpoints whose time has passed', async () => {
    const { clock, registry, directory: known } = directory()
    await known.endpoints('files', signal)
    await clock.advance(61_000)
    registry.endpoints.clear()
    expect(await known.endpoints('files', signal)).toEqual([])
    await known.close()
  })
})

class MemoryEndpoints implements EndpointStore {
  readonly kept = new Map<string, RegisteredEndpoint>()
  load = () => [...this.kept.values()]
  put = (each: RegisteredEndpoint) => void this.kept.set(each.endpoint.name, each)
  delete = (name: string) => void this.kept.delete(name)
}

function node(clock = new FakeClock(), store = new MemoryEndpoints()) {
  const registry = new TestRegistry()
  const registered = new RegisteredEndpoints(store, clock)
  const policy = new TestPolicies()
  const parts = { self, registry: registry.clients(), registered, policy, clock, logger: silentLogger }
  const caller = (spiffeId = 'spiffe://west/node/n1/uid/1000'): Call => {
    const token = { jwt: `token of ${spiffeId}`, expiresMs: clock.nowMs() + 600_000 }
    return { peer: { spiffeId, chain: [], attestation }, token, signal }
  }
  return { registry, clock, store, registered, policy, parts, self, caller, endpoints: new NodeEndpointRegistry(parts) }
}

const self: RegisteringNode = { name: 'n1', domain: 'west', publicUrl: 'tcp://192.0.2.1:5001' }
const attestation = attestationOf()
const mine = () => endpoint('nse-a', { url: 'unix:///run/nse.sock' })

describe('NodeEndpointRegistry', () => {
  it("keeps the endpoint's URL and shows the registry its own, for the workload that registered", async () => {
    const { endpoints, caller, registered, registry, self } = node()
    const answer = await endpoints.register(mine(), caller())
    expect(answer.url).toBe('unix:///run/nse.sock')
    expect(registered.get('nse-a')).toMatchObject({
      url: 'unix:///run/nse.sock',
      owner: 'spiffe://west/node/n1/uid/1000',
    })
    expect(registry.registered).toMatchObject([{ url: self.publicUrl, pathIds: ['spiffe://west/node/n1/uid/1000'] }])
    expect(registry.registered[0]?.networkServiceLabels.get('files')).toEqual({ nodeName: 'n1' })
  })

  it.each([
    ['somebody over the network', { attestation: undefined }, mine()],
    ['somebody of another domain', { spiffeId: 'spiffe://east/node/n1/uid/0' }, mine()],
  ])('refuses %s', async (_who, peer, asked) => {
    const { endpoints, caller } = node()
    const call = caller()
    const register = endpoints.register(asked, { ...call, peer: { ...call.peer, ...peer } })
    await expect(register).rejects.toMatchObject({ code: 'permission_denied' })
  })

  it.each(['tcp://10.0.0.1:5001', 'unix://relative', '', 'file:///etc/passwd'])('refuses the URL %j', async (url) => {
    const { endpoints, caller } = node()
    await expect(endpoints.register({ ...mine(), url }, caller())).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it('refuses to hand a name to another workload', async () => {
    const { endpoints, caller } = node()
    await endpoints.register(mine(), caller())
    const other = caller('spiffe://west/node/n1/uid/7')
    await expect(endpoints.register(mine(), other)).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(endpoints.unregister(mine(), other)).rejects.toMatchObject({ code: 'permission_denied' })
  })

  it('refuses a second program of one name while the first is connected', async () => {
    const { endpoints, caller } = node()
    let isConnected = true
    const from = (pid: number) => {
      const call = caller()
      const attestation = attestationOf({ pid, connectionId: BigInt(pid) })
      return { ...call, peer: { ...call.peer, attestation, isConnected: () => isConnected } }
    }
    await endpoints.register(mine(), from(1))
    await expect(endpoints.register(mine(), from(2))).rejects.toMatchObject({
      code: 'already_exists',
      fields: { name: 'nse-a', pid: 1 },
    })
    await endpoints.register(mine(), from(1))
    isConnected = false
    await endpoints.register(mine(), from(2))
  })

  it('renews a known endpoint while the registry is away, and admits no new one', async () => {
    const { endpoints, caller, registry, registered, clock } = node()
    await endpoints.register(mine(), caller())
    registry.goAway()
    const answer = await endpoints.register(mine(), caller())
    expect(answer.expiresMs).toBe(clock.nowMs() + 60_000)
    await expect(endpoints.register(endpoint('new', { url: 'unix:///n' }), caller())).rejects.toMatchObject({
      code: 'unavailable',
    })
    await clock.advance(60_001)
    expect(registered.get('nse-a')).toBeUndefined()
  })

  it('hides what is said to be here and is not', async () => {
    const { endpoints, caller, registry, self } = node()
    await endpoints.register(mine(), caller())
    registry.endpoints.set('ghost', endpoint('ghost', { url: self.publicUrl }))
    registry.endpoints.set('far', endpoint('far'))
    const found: string[] = []
    for await (const { value } of endpoints.find({ endpoint: {}, watch: false }, caller())) found.push(value.name)
    expect(found).toEqual(['nse-a', 'far'])
  })

  it('remembers across a restart, for a minute of grace', async () => {
    const { endpoints, caller, store, clock } = node()
    await endpoints.register(
      endpoint('nse-a', { url: 'unix:///run/nse.sock', expiresMs: clock.nowMs() + 1_000 }),
      caller(),
    )
    const { registered } = node(clock, store)
    await clock.advance(59_000)
    expect(registered.get('nse-a')?.url).toBe('unix:///run/nse.sock')
    await clock.advance(2_000)
    expect([registered.get('nse-a'), store.kept.size]).toEqual([undefined, 0])
  })
})

describe('a node that has a policy', () => {
  it('registers only what the workload may serve', async () => {
    const { endpoints, parts, policy, caller, registry } = node()
    policy.change(
      "rules: [{name: ours, effect: deny, actions: [serve], when: service == 'files' && client.uid != '7'}]",
    )
    const refused = { code: 'permission_denied', message: expect.stringContaining('Cannot serve the network service') }
    await expect(endpoints.register(mine(), caller())).rejects.toMatchObject(refused)
    const service = { name: 'files', payload: 'IP', matches: [], pathIds: [] }
    await expect(new NodeServiceRegistry(parts).register(service, caller())).rejects.toMatchObject(refused)
    expect(registry.registered).toEqual([])
    await endpoints.register(mine(), caller('spiffe://west/node/n1/uid/7'))
    expect(registry.registered).toHaveLength(1)
  })

  it('shows a workload only what it may watch', async () => {
    const { endpoints, policy, caller } = node()
    await endpoints.register(mine(), caller())
    policy.change("rules: [{name: blind, effect: deny, actions: [watch], when: client.uid != '1000'}]")
    const seenBy = async (spiffeId: string) => {
      const found = []
      for await (const { value } of endpoints.find({ endpoint: {}, watch: false }, caller(spiffeId))) found.push(value)
      return found.length
    }
    expect(await seenBy('spiffe://west/node/n1/uid/1000')).toBe(1)
    expect(await seenBy('spiffe://west/node/n1/uid/7')).toBe(0)
  })
})

describe('keepRegistered', () => {
  it('registers again what the registry has lost, but keeps nothing alive that died', async () => {
    const { endpoints, caller, parts, registry, clock } = node()
    await endpoints.register(endpoint('nse-a', { url: 'unix:///a', expiresMs: clock.nowMs() + 60_000 }), caller())
    const stop = new AbortController()
    const running = keepRegistered(parts, stop.signal)
    await clock.advance(0)
    registry.goAway()
    registry.endpoints.clear()
    registry.isAway = false
    await clock.advance(10_000)
    expect(registry.endpoints.get('nse-a')).toMatchObject({
      url: parts.self.publicUrl,
      expiresMs: clock.nowMs() + 50_000,
    })
    await clock.advance(50_001)
    const before = registry.registered.length
    registry.tell({ value: endpoint('nse-a'), deleted: true })
    await clock.advance(10)
    expect(registry.registered).toHaveLength(before)
    stop.abort()
    await running
  })

  it('restores at once what was taken away, and more and more slowly while that goes on', async () => {
    const { endpoints, caller, parts, registry, clock } = node()
    await endpoints.register(endpoint('nse-a', { url: 'unix:///a' }), caller())
    const stop = new AbortController()
    const running = keepRegistered(parts, stop.signal)
    await clock.advance(0)
    const takeAway = () => registry.tell({ value: endpoint('nse-a'), deleted: true })
    const before = registry.registered.length
    takeAway()
    await clock.advance(0)
    expect(registry.registered.length - before).toBe(1)
    const minuteMs = 60_000
    for (let leftMs = minuteMs, seen = registry.registered.length; leftMs > 0; leftMs -= 10) {
      if (registry.registered.length !== seen || leftMs === minuteMs) takeAway()
      seen = registry.registered.length
      await clock.advance(10)
    }
    expect(registry.registered.length - before).toBeGreaterThan(4)
    expect(registry.registered.length - before).toBeLessThan(9)
    stop.abort()
    await running
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })
})
