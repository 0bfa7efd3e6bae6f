import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorCode, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { withoutPolicy } from '../policy/index.ts'
import { type Database, openDatabase } from '../store/index.ts'
import { EndpointRegistry } from './endpoint-registry.ts'
import { OtherDomains } from './other-domains/other-domains.ts'
import type { RegistryStore } from './store/registry-store.ts'
import { registrySchema, registrySizes } from './store/schema.ts'
import { sqliteStore } from './store/sqlite-store.ts'
import { callOf, collect, endpoint, FakeExports, Reader, registering, service } from './testing/index.ts'

const NODE = 'spiffe://west/node/n1'
const WORKLOAD = `${NODE}/uid/1000`
const FOREIGNER = 'spiffe://east/registry'
const MINUTE_MS = 60_000

let database: Database
let store: RegistryStore
let clock: FakeClock
let exports: FakeExports
let registry: EndpointRegistry
let recoversUntilMs: number

async function open(): Promise<EndpointRegistry> {
  const others = new OtherDomains({
    registryOf: () => {
      throw new Error('nobody asks another domain here')
    },
    clock,
    logger: silentLogger,
  })
  store = sqliteStore(database)
  return EndpointRegistry.open({
    domain: 'west',
    store,
    exports,
    policy: withoutPolicy,
    others,
    ...registering(clock, recoversUntilMs),
    clock,
    logger: silentLogger,
    defaultExpiryMs: MINUTE_MS,
  })
}

beforeEach(async () => {
  database = openDatabase(':memory:', { application: 'registry test', migrations: [registrySchema, registrySizes] })
  clock = new FakeClock()
  recoversUntilMs = 0
  exports = new FakeExports()
  registry = await open()
})

afterEach(() => {
  registry.close()
  database.close()
  expect(clock.pending).toBe(0)
  expect(exports.listeners).toBe(0)
})

const find = (query: Parameters<typeof endpoint>[1], caller = NODE) =>
  collect(registry.find({ endpoint: query ?? {}, watch: false }, callOf(caller)))

describe('EndpointRegistry.register', () => {
  test('answers with the owner, the times and the given name', async () => {
    const answer = await registry.register(endpoint('nse-1', { pathIds: [] }), callOf(NODE))
    const nowMs = clock.nowMs()
    expect(answer).toMatchObject({
      name: 'nse-1',
      pathIds: [NODE],
      expiresMs: nowMs + MINUTE_MS,
      registeredMs: nowMs,
    })
    await clock.advance(10_000)
    expect(await registry.register(answer, callOf(NODE))).toMatchObject({ registeredMs: nowMs })
  })

  test('generates a name where none is given', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => registry.register(endpoint(''), callOf(NODE))))
    expect(a?.name).toMatch(/^nse-[0-9a-f]{20}$/)
    expect(a?.name).not.toBe(b?.name)
  })

  test('a node may name one of its workloads as the owner, and nobody else', async () => {
    const claim = (owner: string) => {
      const name = `of ${owner}`.replace(/[^a-z0-9]/g, '-')
      return endpoint(name, { pathIds: [owner], networkServiceNames: [name] })
    }
    expect((await registry.register(claim(WORKLOAD), callOf(NODE))).pathIds).toEqual([WORKLOAD, NODE])
    expect((await registry.register(claim('spiffe://west/node/n2/uid/0'), callOf(NODE))).pathIds).toEqual([NODE])
    expect((await registry.register(claim('spiffe://west/registry'), callOf(NODE))).pathIds).toEqual([NODE])
  })

  test.each([
    ['another node', 'spiffe://west/node/n2'],
    ['a workload of the same node', `${NODE}/uid/1000`],
    ['a node with a longer name', 'spiffe://west/node/n10'],
  ])('refuses a name that is taken to %s', async (_, thief) => {
    const { claim: _claim, ...mine } = await registry.register(endpoint('nse-1'), callOf(NODE))
    const theft = registry.register(endpoint('nse-1', { url: 'tcp://192.0.2.66:1' }), callOf(thief))
    await expect(theft).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('no sufficient privileges'),
    })
    await expect(registry.unregister(endpoint('nse-1'), callOf('spiffe://west/node/n2'))).rejects.toMatchObject({
      code: 'permission_denied',
    })
    expect(await find({ name: 'nse-1' })).toEqual([{ value: mine, deleted: false }])
  })

  test.each([
    ['a longer life than the default', { asked: 5 * MINUTE_MS, token: 9 * MINUTE_MS }, MINUTE_MS],
    ['a shorter life', { asked: 1_000, token: 9 * MINUTE_MS }, 1_000],
    ['a life beyond its token', { asked: undefined, token: 2_000 }, 2_000],
  ])('a registration that asks for %s expires at the earliest limit', async (_, { asked, token }, lifeMs) => {
    const nowMs = clock.nowMs()
    const call = callOf(NODE, { token: { jwt: '', expiresMs: nowMs + token } })
    const expiresMs = asked === undefined ? undefined : nowMs + asked
    expect((await registry.register(endpoint('nse-1', { expiresMs }), call)).expiresMs).toBe(nowMs + lifeMs)
  })

  test.each([
    ['a name too long', { name: 'x'.repeat(254) }, 'invalid_argument'],
    ['a name with a newline', { name: 'a\nb' }, 'invalid_argument'],
    ['a service name with a slash', { networkServiceNames: ['a/b'] }, 'invalid_argument'],
    ['an empty service name', { networkServiceNames: [''] }, 'invalid_argument'],
    ['a malformed URL', { url: 'no url' }, 'invalid_argument'],
    ['an endless URL', { url: `tcp://${'x'.repeat(3_000)}` }, 'invalid_argument'],
    ['a time that has passed', { expiresMs: 1 }, 'invalid_argument'],
    ['too many services', { networkServiceNames: Array.from({ length: 65 }, (_, i) => `s${i}`) }, 'invalid_argument'],
    [
      'too many labels',
      { networkServiceLabels: new Map([['files', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, '']))]]) },
      'invalid_argument',
    ],
    ['an endless label', { networkServiceLabels: new Map([['files', { a: 'x'.repeat(257) }]]) }, 'invalid_argument'],
    ['a service of another domain', { networkServiceNames: ['files@east'] }, 'unimplemented'],
    ['a name in another domain', { name: 'nse@east' }, 'unimplemented'],
  ])('refuses %s and stores nothing', async (_, wrong, code) => {
    await expect(registry.register(endpoint('nse-1', wrong), callOf(NODE))).rejects.toMatchObject({ code })
    expect(await find({})).toEqual([])
  })

  test.each([FOREIGNER, 'spiffe://east/node/n1', 'spiffe://west.evil/node/n1', '', WORKLOAD, 'spiffe://west/registry'])(
    'refuses caller %j',
    async (id) => {
      await expect(registry.register(endpoint('nse-1'), callOf(id))).rejects.toMatchObject({
        code: 'permission_denied',
      })
      await expect(registry.unregister(endpoint('nse-1'), callOf(id))).rejects.toMatchObject({
        code: 'permission_denied',
      })
    },
  )

  test('refuses the 1,001st endpoint of an owner, but no refresh and no other owner', async () => {
    for (let index = 0; index < 1_000; index += 1) await registry.register(endpoint(`nse-${index}`), callOf(NODE))
    const another = registry.register(endpoint('one-more'), callOf(NODE))
    await expect(another).rejects.toMatchObject({ code: 'resource_exhausted' })
    await registry.register(endpoint('nse-1'), callOf(NODE))
    await registry.register(endpoint('one-more', { pathIds: [WORKLOAD], networkServiceNames: ['db'] }), callOf(NODE))
  })
})

describe('EndpointRegistry.unregister', () => {
  test('succeeds for an unknown name', () => registry.unregister(endpoint('nobody'), callOf(NODE)))

  test.each([
    ['the owner', [WORKLOAD]],
    ["the owner's node", []],
  ])('lets %s', async (_, pathIds) => {
    await registry.register(endpoint('nse-1', { pathIds: [WORKLOAD] }), callOf(NODE))
    await registry.unregister(endpoint('nse-1', { pathIds }), callOf(NODE))
    expect(await find({})).toEqual([])
  })

  test('refuses a node that acts for another one of its workloads', async () => {
    await registry.register(endpoint('nse-1', { pathIds: [WORKLOAD] }), callOf(NODE))
    const other = registry.unregister(endpoint('nse-1', { pathIds: [`${NODE}/uid/2`] }), callOf(NODE))
    await expect(other).rejects.toMatchObject({ code: 'permission_denied' })
  })
})

describe('EndpointRegistry expiry', () => {
  test('notifies watchers when an endpoint expires that was not refreshed', async () => {
    const stop = new AbortController()
    const call = callOf(NODE, { signal: stop.signal })
    const reader = new Reader(registry.find({ endpoint: {}, watch: true }, call))
    await registry.register(endpoint('stays'), callOf(NODE))
    await registry.register(endpoint('goes'), callOf(NODE))
    expect([(await reader.next())?.value.name, (await reader.next())?.value.name]).toEqual(['goes', 'stays'])
    await clock.advance(40_000)
    await registry.register(endpoint('stays'), callOf(NODE))
    expect(await reader.next()).toMatchObject({ value: { name: 'stays' }, deleted: false })
    await clock.advance(21_000)
    expect(await reader.next()).toMatchObject({ value: { name: 'goes' }, deleted: true })
    expect((await find({})).map(({ value }) => value.name)).toEqual(['stays'])
    await registry.unregister(endpoint('stays'), callOf(NODE))
    stop.abort()
  })

  test('gives owners time to refresh after the registry was down', async () => {
    await registry.register(endpoint('nse-1'), callOf(NODE))
    registry.close()
    clock = new FakeClock(clock.nowMs() + 3_600_000)
    registry = await open()
    expect(await find({})).toHaveLength(1)
    await clock.advance(MINUTE_MS - 1)
    expect(await find({})).toHaveLength(1)
    await clock.advance(1)
    expect(await find({})).toEqual([])
  })
})

describe('EndpointRegistry.find for another domain', () => {
  beforeEach(async () => {
    const labels = new Map([
      ['files', { a: '1' }],
      ['private', { b: '2' }],
    ])
    const both = { networkServiceNames: ['files', 'private'], networkServiceLabels: labels }
    await registry.register(endpoint('both', both), callOf(NODE))
    await registry.register(endpoint('secret', { networkServiceNames: ['private'] }), callOf(NODE))
  })

  test('shows only exported services', async () => {
    expect(await find({}, FOREIGNER)).toEqual([])
    exports.set('north', 'files')
    expect(await find({}, FOREIGNER)).toEqual([])
    exports.set('east', 'files')
    const [only, ...rest] = await find({}, FOREIGNER)
    expect(only?.value).toMatchObject({ name: 'both', networkServiceNames: ['files'] })
    expect(only?.value.networkServiceLabels).toEqual(new Map([['files', { a: '1' }]]))
    expect(rest).toEqual([])
  })

  test('reveals nothing about what is hidden', async () => {
    exports.set('east', 'files')
    expect(await find({ networkServiceNames: ['private'] }, FOREIGNER)).toEqual([])
    expect(await find({ name: 'secret' }, FOREIGNER)).toEqual([])
    expect(await find({ networkServiceLabels: new Map([['private', { b: '2' }]]) }, FOREIGNER)).toEqual([])
  })

  test('a watch follows the exports', async () => {
    const stop = new AbortController()
    const call = callOf(FOREIGNER, { signal: stop.signal })
    const reader = new Reader(registry.find({ endpoint: { networkServiceNames: ['files'] }, watch: true }, call))
    expect(await reader.isIdle()).toBe(true)
    exports.set('east', 'files')
    expect(await reader.next()).toMatchObject({ value: { name: 'both' }, deleted: false })
    expect(await reader.isIdle()).toBe(true)
    exports.set('east')
    expect(await reader.next()).toMatchObject({ value: { name: 'both' }, deleted: true })
    stop.abort()
    expect(await reader.next()).toBeUndefined()
  })

  test('searches no third domain, and refuses callers without an identity', () => {
    expect(() => registry.find({ endpoint: { name: 'x@north' }, watch: false }, callOf(FOREIGNER))).toThrow(
      /third domain/,
    )
    expect(() => registry.find({ endpoint: {}, watch: false }, callOf(''))).toThrow(/no SPIFFE identity/)
  })
})

describe('EndpointRegistry and who may serve', () => {
  const ON_N2 = 'spiffe://west/node/n2'
  const serve = (name: string, owner: string) => {
    const caller = owner.split('/').slice(0, 5).join('/')
    return registry.register(endpoint(name, { pathIds: [owner] }), callOf(caller))
  }

  test.each([
    ['the same user on another node', `${ON_N2}/uid/1000`, 'serves'],
    ['another user', `${NODE}/uid/1001`, 'permission_denied'],
    ['a user with a longer number', `${ON_N2}/uid/10001`, 'permission_denied'],
    ['a node itself', ON_N2, 'permission_denied'],
    ['a namespace with the number of the user as its name', `${NODE}/ns/1000`, 'permission_denied'],
  ])('%s: %s', async (_, owner, outcome) => {
    await serve('first', WORKLOAD)
    expect(await serve('second', owner).then(() => 'serves', errorCode)).toBe(outcome)
  })

  test('an endpoint keeps the name of its service for its own', async () => {
    await serve('first', WORKLOAD)
    await registry.unregister(endpoint('first', { pathIds: [WORKLOAD] }), callOf(NODE))
    await serve('second', `${ON_N2}/uid/7`)
    expect(await serve('third', WORKLOAD).then(() => 'serves', errorCode)).toBe('permission_denied')
  })

  test('a service that an administrator has written is served by the first to come, and its like', async () => {
    await store.services.put(service('files', { pathIds: [] }))
    await serve('first', WORKLOAD)
    await serve('second', `${ON_N2}/uid/1000`)
    expect(await serve('third', `${ON_N2}/uid/7`).then(() => 'serves', errorCode)).toBe('permission_denied')
  })
})

describe('EndpointRegistry and what a node may take', () => {
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${i}`.padEnd(250, 'x'), 'y'.repeat(250)]))
  const large = (name: string, uid: number) =>
    endpoint(name, {
      pathIds: [`${NODE}/uid/${uid}`],
      networkServiceNames: [name],
      networkServiceLabels: new Map([[name, labels]]),
    })

  test('limits it by bytes, whoever of its workloads owns them, and nobody else', async () => {
    let registered = 0
    const fill = async () => {
      for (; registered < 200; registered += 1) {
        await registry.register(large(`nse-${registered}`, registered), callOf(NODE))
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect(registered).toBeGreaterThan(110)
    expect(registered).toBeLessThan(130)
    await registry.register(large('nse-0', 0), callOf(NODE)) // a renewal
    await registry.register(endpoint('other', { networkServiceNames: ['other'] }), callOf('spiffe://west/node/n10'))
    await registry.unregister(large('nse-0', 0), callOf(NODE))
    await registry.register(large('another', 7), callOf(NODE))
  })

  test('limits it also by the number of small records', async () => {
    let registered = 0
    const fill = async () => {
      for (; registered < 10_000; registered += 1) {
        const pathIds = [`${NODE}/uid/${registered % 100}`]
        const networkServiceNames = [`s${registered % 100}`]
        await registry.register(endpoint(`nse-${registered}`, { pathIds, networkServiceNames }), callOf(NODE))
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect(registered).toBe(4_096)
  })

  test('refuses a record that is larger than any honest one', async () => {
    const both = new Map(['a', 'b', 'c'].map((service) => [service, labels]))
    const giant = registry.register(endpoint('giant', { networkServiceLabels: both }), callOf(NODE))
    await expect(giant).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

describe('EndpointRegistry after it lost its records', () => {
  const THIEF = 'spiffe://west/node/n2'
  const owned = (more = {}) => endpoint('nse-1', { pathIds: [WORKLOAD], ...more })

  async function loseRecords(): Promise<void> {
    registry.close()
    database.close()
    database = openDatabase(':memory:', { application: 'registry test', migrations: [registrySchema] })
    recoversUntilMs = clock.nowMs() + MINUTE_MS
    registry = await open()
  }

  test('gives a name back to whoever shows its claim, and to nobody else meanwhile', async () => {
    const { claim = '' } = await registry.register(owned(), callOf(NODE))
    const stolen = await registry.register(
      endpoint('nse-2', { pathIds: [], networkServiceNames: ['x'] }),
      callOf(THIEF),
    )
    await loseRecords()
    const tries = [
      registry.register(endpoint('nse-1'), callOf(THIEF)),
      registry.register(endpoint('nse-1', { claim }), callOf(THIEF)),
      registry.register(endpoint('nse-1', { claim: stolen.claim ?? '' }), callOf(THIEF)),
      registry.register({ ...stolen, networkServiceNames: ['files'] }, callOf(THIEF)),
      registry.register(endpoint('new', { networkServiceNames: ['new'] }), callOf(THIEF)),
    ]
    for (const each of tries) await expect(each).rejects.toMatchObject({ code: 'unavailable' })
    const back = await registry.register(owned({ claim }), callOf(NODE))
    expect(back).toMatchObject({ pathIds: [WORKLOAD, NODE], claim })
    await registry.register(owned(), callOf(NODE)) // a renewal
  })

  test('gives out new names when the living have had time to return', async () => {
    const { claim = '' } = await registry.register(owned(), callOf(NODE))
    await loseRecords()
    await registry.register(owned({ claim }), callOf(NODE))
    await clock.advance(MINUTE_MS - 1)
    await registry.register(owned(), callOf(NODE))
    await clock.advance(1)
    await registry.register(endpoint('new', { networkServiceNames: ['new'] }), callOf(THIEF))
    await expect(registry.register(endpoint('nse-1'), callOf(THIEF))).rejects.toMatchObject({
      code: 'permission_denied',
    })
  })

  test('shows claims to nobody but who registers', async () => {
    await registry.register(owned(), callOf(NODE))
    expect((await find({}))[0]?.value).not.toHaveProperty('claim')
  })
})
