/** The suite that every {@link RegistryStore} passes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NetworkServiceEndpoint } from '../../api/index.ts'
import type { Page, RegistryStore } from '../store/registry-store.ts'
import { endpoint, Reader, service } from './registrations.ts'

export interface OpenStore {
  readonly store: RegistryStore
  close(): void | Promise<void>
}

interface Subject {
  store: RegistryStore
}

/** @param open opens an empty store. */
export function registryStoreConformance(name: string, open: () => OpenStore | Promise<OpenStore>): void {
  describe(`registry store: ${name}`, () => {
    let opened: OpenStore
    const subject = { store: undefined as unknown as RegistryStore }
    beforeEach(async () => {
      opened = await open()
      subject.store = opened.store
    })
    afterEach(() => opened.close())
    records(subject)
    queries(subject)
    services(subject)
    watches(subject)
    slowReaders(subject)
    expiry(subject)
  })
}

function records(subject: Subject): void {
  test('gives back what was put, to the last field', async () => {
    const { services, endpoints } = subject.store
    const full = endpoint('nse-1', {
      networkServiceNames: ['files', 'db'],
      networkServiceLabels: new Map([
        ['files', { app: 'web', ['__proto__']: 'harmless' }],
        ['constructor', { a: '' }],
      ]),
      expiresMs: 1_900_000_000_123,
      registeredMs: 1_800_000_000_456,
      pathIds: ['spiffe://west/node/n1/uid/0', 'spiffe://west/node/n1'],
    })
    await endpoints.put(full)
    expect(await endpoints.get('nse-1')).toEqual(full)
    const routes = [{ destinationSelector: { app: 'web' }, weight: 2 }]
    const match = { sourceSelector: { a: 'b' }, routes, fallthrough: true, metadata: { labels: {} } }
    const withMatches = service('files', { matches: [match, { ...match, metadata: undefined }] })
    await services.put(withMatches)
    expect(await services.get('files')).toStrictEqual(withMatches)
  })

  test('services and endpoints of the same name are different records', async () => {
    await subject.store.services.put(service('same'))
    expect(await subject.store.endpoints.get('same')).toBeUndefined()
  })

  test('only the owner may write, until the record is gone', async () => {
    const { endpoints } = subject.store
    await endpoints.put(endpoint('nse-1', { pathIds: ['spiffe://west/a'] }))
    const other = endpoint('nse-1', { pathIds: ['spiffe://west/b', 'spiffe://west/a'], url: 'tcp://192.0.2.66:1' })
    await expect(endpoints.put(other)).rejects.toMatchObject({ code: 'permission_denied' })
    expect(await endpoints.get('nse-1')).toMatchObject({ url: 'tcp://192.0.2.1:5001', pathIds: ['spiffe://west/a'] })
    await endpoints.remove('nse-1')
    await endpoints.put(other)
    expect(await endpoints.get('nse-1')).toEqual(other)
  })

  test('removing an unknown record succeeds and changes nothing', async () => {
    const before = await subject.store.services.list({})
    await subject.store.services.remove('nothing')
    expect((await subject.store.services.list({})).revision).toBe(before.revision)
  })

  test('counts the records of an owner, for each kind', async () => {
    const { services, endpoints } = subject.store
    for (const name of ['a', 'b', 'c']) await endpoints.put(endpoint(name))
    await services.put(service('a'))
    await endpoints.remove('b')
    expect(await endpoints.countOwned('spiffe://west/node/n1')).toBe(2)
    expect(await services.countOwned('spiffe://west/node/n1')).toBe(1)
    expect(await endpoints.countOwned('spiffe://west/node/n')).toBe(0)
  })
}

function queries(subject: Subject): void {
  test('knows how much a node has, with its workloads and nobody else, also after changes', async () => {
    const { store } = subject
    const n1 = 'spiffe://west/node/n1'
    const labels = new Map([['files', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i, 'x'.repeat(200)]))]])
    expect(await store.bytesOf(n1)).toBe(0)
    await store.endpoints.put(endpoint('a', { pathIds: [n1] }))
    await store.services.put(service('a', { pathIds: [`${n1}/uid/7`, n1] }))
    await store.endpoints.put(endpoint('b', { pathIds: ['spiffe://west/node/n10'] }))
    expect(await store.bytesOf(n1)).toBe(2 * 1024)
    await store.endpoints.put(endpoint('a', { pathIds: [n1], networkServiceLabels: labels, expiresMs: 1 }))
    expect(await store.bytesOf(n1)).toBeGreaterThan(5_000)
    await store.endpoints.removeExpired(2)
    expect(await store.bytesOf(n1)).toBe(1024)
    await store.services.remove('a')
    expect(await store.bytesOf(n1)).toBe(0)
  })

  test('knows who serves a service', async () => {
    const { endpoints } = subject.store
    const [n1, n2] = [['spiffe://west/node/n1'], ['spiffe://west/node/n2']]
    await endpoints.put(endpoint('a', { pathIds: n2, networkServiceNames: ['files', 'db'] }))
    await endpoints.put(endpoint('b', { pathIds: n1 }))
    await endpoints.put(endpoint('c', { pathIds: n1 }))
    expect(await endpoints.ownersServing('files')).toEqual([...n1, ...n2])
    expect(await endpoints.ownersServing('db')).toEqual(n2)
    await endpoints.remove('a')
    expect(await endpoints.ownersServing('files')).toEqual(n1)
    expect(await endpoints.ownersServing('db')).toEqual([])
  })

  test('gives in pages what it lists', async () => {
    const { endpoints } = subject.store
    for (let at = 0; at < 40; at += 1) {
      await endpoints.put(endpoint(`nse-${at}`, { networkServiceNames: [at % 3 === 0 ? 'db' : 'files'] }))
    }
    for (const query of [{}, { networkServiceNames: ['files'] }, { name: 'nse-7' }, { url: 'tcp://192.0.2.9:1' }]) {
      const values: NetworkServiceEndpoint[] = []
      let next: string | undefined = ''
      while (next !== undefined) {
        const page: Page<NetworkServiceEndpoint> = await endpoints.page(query, next)
        values.push(...page.values)
        next = page.next
      }
      expect(values).toEqual((await endpoints.list(query)).values)
    }
    expect(await endpoints.revision()).toBe((await endpoints.list({})).revision)
  })

  test('lists what matches, ordered by name', async () => {
    const { endpoints } = subject.store
    await endpoints.put(endpoint('b', { networkServiceNames: ['files', 'db'] }))
    await endpoints.put(endpoint('a', { networkServiceNames: ['db'], url: 'tcp://192.0.2.2:5001' }))
    await endpoints.put(endpoint('c', { networkServiceNames: [], networkServiceLabels: new Map([['db', { r: '1' }]]) }))
    const names = async (query: Parameters<typeof endpoints.list>[0]) =>
      (await endpoints.list(query)).values.map(({ name }) => name)
    expect(await names({})).toEqual(['a', 'b', 'c'])
    expect(await names({ name: 'b' })).toEqual(['b'])
    expect(await names({ name: 'B' })).toEqual([])
    expect(await names({ networkServiceNames: ['db'] })).toEqual(['a', 'b'])
    expect(await names({ networkServiceNames: ['db', 'files'] })).toEqual(['b'])
    expect(await names({ networkServiceNames: ['db'], url: '192.0.2.2' })).toEqual(['a'])
    expect(await names({ name: 'a', networkServiceNames: ['files'] })).toEqual([])
    expect(await names({ networkServiceLabels: new Map([['db', { r: '1' }]]) })).toEqual(['c'])
    await endpoints.put(endpoint('b', { networkServiceNames: ['files'] }))
    await endpoints.remove('a')
    expect(await names({ networkServiceNames: ['db'] })).toEqual([])
  })
}

function services(subject: Subject): void {
  test('lists the endpoints of a service as they are now, however often it was asked', async () => {
    const { endpoints } = subject.store
    const serving = async (name: string) => {
      const { values } = await endpoints.list({ networkServiceNames: [name] })
      return values.map((value) => `${value.name} ${value.url}`)
    }
    expect(await serving('files')).toEqual([])
    await endpoints.put(endpoint('nse-1'))
    await endpoints.put(endpoint('nse-2', { networkServiceNames: ['files', 'db'] }))
    expect(await serving('files')).toEqual(['nse-1 tcp://192.0.2.1:5001', 'nse-2 tcp://192.0.2.1:5001'])
    await endpoints.put(endpoint('nse-1', { url: 'tcp://192.0.2.9:5001' }))
    expect(await serving('files')).toEqual(['nse-1 tcp://192.0.2.9:5001', 'nse-2 tcp://192.0.2.1:5001'])
    await endpoints.put(endpoint('nse-2', { networkServiceNames: ['db'] }))
    expect([await serving('files'), await serving('db')]).toEqual([
      ['nse-1 tcp://192.0.2.9:5001'],
      ['nse-2 tcp://192.0.2.1:5001'],
    ])
    await endpoints.remove('nse-1')
    expect(await serving('files')).toEqual([])
  })
}

function watches(subject: Subject): void {
  test('a watch from a list misses nothing, and yields each change once and in order', async () => {
    const { endpoints, services } = subject.store
    await endpoints.put(endpoint('before'))
    const { revision } = await endpoints.list({})
    await endpoints.put(endpoint('between'))
    await endpoints.remove('before')
    const stop = new AbortController()
    const reader = new Reader(endpoints.watch(revision, stop.signal))
    expect(await reader.next()).toMatchObject({ value: { name: 'between' }, deleted: false })
    expect(await reader.next()).toMatchObject({ value: { name: 'before' }, deleted: true })
    expect(await reader.isIdle()).toBe(true)
    await services.put(service('of the other kind'))
    await endpoints.put(endpoint('after'))
    const last = await reader.next()
    expect(last).toMatchObject({ value: { name: 'after' }, deleted: false })
    expect(last?.revision).toBe((await endpoints.list({})).revision)
    stop.abort()
    expect(await reader.next()).toBeUndefined()
  })

  test('revisions grow with each change, over both kinds', async () => {
    const revisions = []
    for (const [name, payload] of [
      ['a', 'IP'],
      ['b', 'IP'],
      ['a', 'ETHERNET'],
    ] as const) {
      await subject.store.services.put(service(name, { payload }))
      revisions.push((await subject.store.services.list({})).revision)
      await subject.store.endpoints.put(endpoint(name, { registeredMs: revisions.length }))
      revisions.push((await subject.store.endpoints.list({})).revision)
    }
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  })
}

function slowReaders(subject: Subject): void {
  test('a reader that falls too far behind is cut off, and the others are not', async () => {
    const { endpoints } = subject.store
    const signal = new AbortController().signal
    const { revision } = await endpoints.list({})
    const slow = new Reader(endpoints.watch(revision, signal))
    const quick = new Reader(endpoints.watch(revision, signal))
    expect(await slow.isIdle()).toBe(true)
    expect(await quick.isIdle()).toBe(true)
    for (let index = 0; index < 1_200; index += 1) {
      await endpoints.put(endpoint('busy', { registeredMs: index }))
      expect(await quick.next()).toMatchObject({ value: { registeredMs: index } })
    }
    const readAll = async () => {
      while ((await slow.next()) !== undefined);
    }
    await expect(readAll()).rejects.toMatchObject({ code: 'resource_exhausted' })
  })
}

function expiry(subject: Subject): void {
  test('removes expired endpoints and returns when the next one expires', async () => {
    const { endpoints } = subject.store
    expect(await endpoints.removeExpired(1_000)).toBeUndefined()
    await endpoints.put(endpoint('a', { expiresMs: 1_000 }))
    await endpoints.put(endpoint('b', { expiresMs: 2_000 }))
    await endpoints.put(endpoint('for ever'))
    const reader = new Reader(endpoints.watch((await endpoints.list({})).revision, new AbortController().signal))
    expect(await endpoints.removeExpired(999)).toBe(1_000)
    expect(await endpoints.removeExpired(1_000)).toBe(2_000)
    expect(await reader.next()).toMatchObject({ value: { name: 'a' }, deleted: true })
    await endpoints.put(endpoint('b', { expiresMs: 3_000 }))
    expect(await endpoints.removeExpired(2_000)).toBe(3_000)
  })

  test('extends the endpoints that expire too soon, and no others', async () => {
    const { endpoints } = subject.store
    await endpoints.put(endpoint('a', { expiresMs: 1_000 }))
    await endpoints.put(endpoint('b', { expiresMs: 9_000 }))
    await endpoints.extend(5_000)
    expect((await endpoints.get('a'))?.expiresMs).toBe(5_000)
    expect((await endpoints.get('b'))?.expiresMs).toBe(9_000)
    expect(await endpoints.removeExpired(1_000)).toBe(5_000)
  })
}
