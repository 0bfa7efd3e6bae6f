import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { TestPolicies } from '../policy/testing/index.ts'
import { type Database, openDatabase } from '../store/index.ts'
import { OtherDomains } from './other-domains/other-domains.ts'
import { UNSERVED_MS } from './service-expiry.ts'
import { ServiceRegistry } from './service-registry.ts'
import type { RegistryStore } from './store/registry-store.ts'
import { registrySchema } from './store/schema.ts'
import { sqliteStore } from './store/sqlite-store.ts'
import { callOf, collect, endpoint, FakeExports, Reader, registering, service } from './testing/index.ts'

const OWNER = 'spiffe://west/node/n1'
const OTHER = 'spiffe://west/node/n2'

let database: Database
let exports: FakeExports
let store: RegistryStore
let policy: TestPolicies
let registry: ServiceRegistry
let clock: FakeClock

beforeEach(() => {
  database = openDatabase(':memory:', { application: 'registry test', migrations: [registrySchema] })
  exports = new FakeExports()
  clock = new FakeClock()
  policy = new TestPolicies()
  const common = { clock, logger: silentLogger }
  const registryOf = () => {
    throw new Error('nobody asks another domain here')
  }
  const others = new OtherDomains({ registryOf, ...common })
  store = sqliteStore(database)
  registry = new ServiceRegistry({
    domain: 'west',
    store,
    exports,
    policy,
    others,
    ...registering(clock),
    ...common,
  })
})

afterEach(() => {
  registry.close()
  database.close()
  expect(clock.pending).toBe(0)
})

const find = (query: Parameters<typeof service>[1] = {}, caller = OWNER) =>
  collect(registry.find({ service: query, watch: false }, callOf(caller)))

describe('ServiceRegistry', () => {
  test('fills in the payload IP and a name', async () => {
    const answer = await registry.register(service('', { payload: '' }), callOf(OWNER))
    expect(answer).toMatchObject({ payload: 'IP', pathIds: [OWNER] })
    expect(answer.name).toMatch(/^netsvc-[0-9a-f]{20}$/)
    expect(await find({ name: answer.name })).toEqual([{ value: answer, deleted: false }])
  })

  test('registers, shows and keeps only what the policy allows', async () => {
    await registry.register(service('files'), callOf(OWNER))
    policy.change(`rules:
      - {name: db, effect: deny, actions: [serve], when: service == 'db' && client.node == 'n2'}
      - {name: blind, effect: deny, actions: [watch], when: client.node == 'n2'}`)
    await expect(registry.register(service('db'), callOf(OTHER))).rejects.toMatchObject({ fields: { rule: 'db' } })
    await registry.register(service('db'), callOf(OWNER))
    expect(await find()).toHaveLength(2)
    expect(await find({}, OTHER)).toEqual([])
  })

  test('lets anybody register a service unchanged, and only its owner change it', async () => {
    const mine = await registry.register(service('files'), callOf(OWNER))
    expect(await registry.register(service('files'), callOf(OTHER))).toEqual(mine)
    const changed = registry.register(service('files', { payload: 'ETHERNET' }), callOf(OTHER))
    await expect(changed).rejects.toMatchObject({ code: 'permission_denied' })
    await registry.register(service('files', { payload: 'ETHERNET' }), callOf(OWNER))
    await expect(registry.unregister(mine, callOf(OTHER))).rejects.toMatchObject({ code: 'permission_denied' })
    await registry.unregister(mine, callOf(OWNER))
    expect(await find()).toEqual([])
  })

  test.each([
    ['a name too long', { name: 'x'.repeat(254) }, 'invalid_argument'],
    ['another payload', { payload: 'SMOKE' }, 'invalid_argument'],
    ['a name in another domain', { name: 'files@east' }, 'unimplemented'],
    [
      'too many matches',
      { matches: Array(65).fill({ sourceSelector: {}, routes: [], fallthrough: false, metadata: undefined }) },
      'invalid_argument',
    ],
  ])('refuses %s', async (_, wrong, code) => {
    await expect(registry.register(service('files', wrong), callOf(OWNER))).rejects.toMatchObject({ code })
    expect(await find()).toEqual([])
  })

  test('finds a name that is qualified with our own domain', async () => {
    await registry.register(service('files'), callOf(OWNER))
    expect(await find({ name: 'files@west' })).toHaveLength(1)
  })

  test.each(['x'.repeat(254), 'a b', 'files@', 'files@EAST', 'files@a@b', '@west'])(
    'refuses to search for %j',
    (name) => {
      expect(() => registry.find({ service: { name }, watch: false }, callOf(OWNER))).toThrow(/Cannot (use|ask)/)
    },
  )

  test('shows another domain exported services only, and follows the exports', async () => {
    await registry.register(service('files'), callOf(OWNER))
    await registry.register(service('private'), callOf(OWNER))
    exports.set('east', 'files')
    expect((await find({}, 'spiffe://east/registry')).map(({ value }) => value.name)).toEqual(['files'])
    const stop = new AbortController()
    const call = callOf('spiffe://east/registry', { signal: stop.signal })
    const reader = new Reader(registry.find({ service: {}, watch: true }, call))
    expect(await reader.next()).toMatchObject({ value: { name: 'files' }, deleted: false })
    expect(await reader.isIdle()).toBe(true)
    exports.set('east', 'private')
    expect(await reader.next()).toMatchObject({ value: { name: 'files' }, deleted: true })
    expect(await reader.next()).toMatchObject({ value: { name: 'private' }, deleted: false })
    stop.abort()
    expect(await reader.next()).toBeUndefined()
    expect(exports.listeners).toBe(0)
  })
})

describe('A service that an administrator has written', () => {
  const written = service('files', { payload: 'ETHERNET', pathIds: [] })
  beforeEach(() => store.services.put(written))

  test('is what endpoints get that register it otherwise', async () => {
    expect(await registry.register(service('files', { payload: 'IP' }), callOf(OWNER))).toEqual(written)
    expect(await store.services.get('files')).toEqual(written)
  })

  test('can be removed by none of them, and never expires', async () => {
    const removal = registry.unregister(service('files', { pathIds: [] }), callOf(OWNER))
    await expect(removal).rejects.toMatchObject({ code: 'permission_denied' })
    await clock.advance(3 * UNSERVED_MS)
    expect(await store.services.get('files')).toEqual(written)
  })
})

describe('A service that nobody serves', () => {
  const names = async () => (await find()).map(({ value }) => value.name)

  test('expires an hour later, unless somebody registers it again', async () => {
    for (const name of ['kept', 'left', 'served']) await registry.register(service(name), callOf(OWNER))
    await store.endpoints.put(endpoint('nse-1', { networkServiceNames: ['served'] }))
    await clock.advance(UNSERVED_MS / 2)
    await registry.register(service('kept'), callOf(OTHER))
    await clock.advance(UNSERVED_MS / 2 + 20 * 60_000)
    expect(await names()).toEqual(['kept', 'served'])
    await store.endpoints.remove('nse-1')
    await clock.advance(UNSERVED_MS / 2)
    expect(await names()).toEqual(['served'])
    await clock.advance(UNSERVED_MS)
    expect(await names()).toEqual([])
  })

  test.each([
    ['registers it as it is', {}],
    ['tries to change it', { payload: 'ETHERNET' }],
  ])('expires all the same where another user %s', async (_, change) => {
    const [owner, stranger] = [`${OWNER}/uid/1000`, `${OTHER}/uid/1001`]
    const registerAs = (id: string, node: string, more = {}) =>
      registry.register(service('files', { pathIds: [id], ...more }), callOf(node))
    await registerAs(owner, OWNER)
    await clock.advance(UNSERVED_MS / 2)
    await registerAs(stranger, OTHER, change).catch(() => {})
    await clock.advance(UNSERVED_MS / 2 + 20 * 60_000)
    expect(await names()).toEqual([])
  })

  test('is kept by its user on another node', async () => {
    const of = (node: string) => service('files', { pathIds: [`${node}/uid/1000`] })
    await registry.register(of(OWNER), callOf(OWNER))
    await clock.advance(UNSERVED_MS / 2)
    await registry.register(of(OTHER), callOf(OTHER))
    await clock.advance(UNSERVED_MS / 2 + 20 * 60_000)
    expect(await names()).toEqual(['files'])
  })

  test('can be had by somebody else afterwards', async () => {
    await registry.register(service('files'), callOf(OWNER))
    await clock.advance(UNSERVED_MS + 20 * 60_000)
    await registry.register(service('files', { payload: 'ETHERNET' }), callOf(OTHER))
    expect(await find()).toMatchObject([{ value: { payload: 'ETHERNET', pathIds: [OTHER] } }])
  })
})
