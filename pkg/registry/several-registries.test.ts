/** What a registry does about others of its domain that keep their records in the same store. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { withoutPolicy } from '../policy/index.ts'
import { type Database, openDatabase } from '../store/index.ts'
import { EndpointRegistry } from './endpoint-registry.ts'
import { OtherDomains } from './other-domains/other-domains.ts'
import type { RegistryStore } from './store/registry-store.ts'
import { registrySchema } from './store/schema.ts'
import { sqliteStore } from './store/sqlite-store.ts'
import { callOf, collect, endpoint, FakeExports, registering } from './testing/index.ts'

const NODE = 'spiffe://west/node/n1'
const WORKLOAD = `${NODE}/uid/1000`
const MINUTE_MS = 60_000

let database: Database
let store: RegistryStore
let clock: FakeClock
let registry: EndpointRegistry
let isThere: boolean

beforeEach(async () => {
  database = openDatabase(':memory:', { application: 'registry test', migrations: [registrySchema] })
  store = sqliteStore(database)
  clock = new FakeClock()
  isThere = true
  const common = { clock, logger: silentLogger }
  const checkWorkload = async () => {
    if (!isThere) throw new NsmError('permission_denied', 'no such workload')
  }
  registry = await EndpointRegistry.open({
    ...common,
    ...registering(clock),
    domain: 'west',
    store,
    exports: new FakeExports(),
    policy: withoutPolicy,
    others: new OtherDomains({ registryOf: () => expect.fail('nobody asks another domain here'), ...common }),
    nodes: { check: async () => {}, checkWorkload },
    defaultExpiryMs: MINUTE_MS,
  })
})

afterEach(() => {
  registry.close()
  database.close()
  expect(clock.pending).toBe(0)
})

const names = async () => {
  const found = await collect(registry.find({ endpoint: {}, watch: false }, callOf(NODE)))
  return found.map(({ value }) => value.name)
}

describe('EndpointRegistry beside another registry of the domain', () => {
  test('removes what the other has registered and nobody has renewed', async () => {
    const expiresMs = clock.nowMs() + MINUTE_MS
    await store.endpoints.put(endpoint('theirs', { expiresMs }))
    await clock.advance(MINUTE_MS / 2)
    await store.endpoints.put(endpoint('renewed', { expiresMs: expiresMs + MINUTE_MS }))
    await clock.advance(MINUTE_MS / 2 + 10_000)
    expect(await names()).toEqual(['renewed'])
  })

  test('lets nobody serve who began at the same time as another user at the other', async () => {
    const { put } = store.endpoints
    vi.spyOn(store.endpoints, 'put').mockImplementation(async (value) => {
      await put.call(store.endpoints, endpoint('theirs', { pathIds: ['spiffe://west/node/n2/uid/7'] }))
      await put.call(store.endpoints, value)
    })
    const mine = registry.register(endpoint('mine', { pathIds: [WORKLOAD] }), callOf(NODE))
    await expect(mine).rejects.toMatchObject({ code: 'permission_denied' })
    expect(await names()).toEqual(['theirs'])
  })
})

describe('EndpointRegistry whose store was away', () => {
  test('gives the owners time to renew when it is back, and then no more', async () => {
    for (const name of ['renewed', 'dead']) await registry.register(endpoint(name), callOf(NODE))
    const away = vi.spyOn(store.endpoints, 'removeExpired')
    away.mockRejectedValue(new NsmError('unavailable', 'the API server is away'))
    await clock.advance(30 * MINUTE_MS)
    away.mockRestore()
    await clock.advance(MINUTE_MS / 2)
    expect(await names()).toEqual(['dead', 'renewed'])
    await registry.register(endpoint('renewed'), callOf(NODE))
    await clock.advance(MINUTE_MS / 2 + 10_000)
    expect(await names()).toEqual(['renewed'])
  })
})

describe('EndpointRegistry where somebody knows what runs on the nodes', () => {
  const register = () => registry.register(endpoint('mine', { pathIds: [WORKLOAD] }), callOf(NODE))

  test('takes no endpoint of a workload that is not on the node that speaks for it', async () => {
    isThere = false
    await expect(register()).rejects.toMatchObject({ code: 'permission_denied' })
    expect(await names()).toEqual([])
  })

  test('asks once, and not each time that an endpoint is renewed', async () => {
    await register()
    isThere = false
    await register()
    const more = endpoint('mine', { pathIds: [WORKLOAD], networkServiceNames: ['files', 'db'] })
    await expect(registry.register(more, callOf(NODE))).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
