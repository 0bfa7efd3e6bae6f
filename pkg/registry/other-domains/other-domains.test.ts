import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Found, NetworkServiceEndpoint, NetworkServiceEndpointQuery } from '../../api/index.ts'
import { type Logger, NsmError } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { withoutPolicy } from '../../policy/index.ts'
import { WatchQueue } from '../../store/index.ts'
import { viewOf } from '../find/caller-view.ts'
import { callOf, collect, endpoint, FakeExports, Reader } from '../testing/index.ts'
import { OtherDomains } from './other-domains.ts'

const MINUTE_MS = 60_000

/** The registry of another domain, as it answers us. */
class FakeRegistry {
  endpoints: NetworkServiceEndpoint[] = [endpoint('nse-1', { pathIds: ['spiffe://east/node/n1', 'spiffe://west/x'] })]
  failure: NsmError | undefined
  readonly queries: NetworkServiceEndpointQuery[] = []
  #watch = new WatchQueue<Found<NetworkServiceEndpoint> | 'break'>()

  async *find(query: NetworkServiceEndpointQuery, { signal }: { signal: AbortSignal }) {
    this.queries.push(query)
    if (this.failure !== undefined) throw this.failure
    for (const value of this.endpoints) yield { value, deleted: false }
    if (!query.watch) return
    for await (const event of this.#watch.read(signal)) {
      if (event === 'break') throw new NsmError('unavailable', 'Cannot reach peer')
      yield event
    }
  }

  tell(value: NetworkServiceEndpoint, deleted = false): void {
    this.endpoints = [...this.endpoints.filter(({ name }) => name !== value.name), ...(deleted ? [] : [value])]
    this.#watch.push({ value, deleted })
  }

  break(): void {
    this.#watch.push('break')
  }
}

let clock: FakeClock
let east: FakeRegistry
let isJoined: boolean
let others: OtherDomains
let stop: AbortController
let lines: string[]

/** An endpoint of about half a KiB for each of `count` labels. */
function heavy(name: string, count: number): NetworkServiceEndpoint {
  const labels = (of: number) =>
    Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${of}-${i}`.padEnd(250, 'x'), 'y'.repeat(250)]))
  const services = ['files', ...Array.from({ length: count / 50 - 1 }, (_, i) => `s${i}`)]
  const networkServiceLabels = new Map(services.map((service, i) => [service, labels(i)]))
  return endpoint(name, { networkServiceNames: services, networkServiceLabels })
}

beforeEach(() => {
  clock = new FakeClock()
  east = new FakeRegistry()
  isJoined = true
  stop = new AbortController()
  lines = []
  const write = (message: string) => void lines.push(message)
  const logger: Logger = { debug: write, info: write, warn: write, error: write, with: () => logger }
  const unused = () => Promise.reject(new Error('not used here'))
  const client = { register: unused, unregister: unused }
  others = new OtherDomains({
    registryOf: (domain) => {
      if (!isJoined || domain !== 'east') throw new NsmError('not_found', 'Cannot find the domain: it has not joined')
      const find = (query: NetworkServiceEndpointQuery, call: { signal: AbortSignal }) => east.find(query, call)
      return { endpoints: { ...client, find }, services: { ...client, find: () => collectNothing() } }
    },
    clock,
    logger,
  })
})

afterEach(async () => {
  stop.abort()
  await clock.advance(0)
  others.close()
  expect(clock.pending).toBe(0)
})

async function* collectNothing() {}

function search(watch: boolean, domain = 'east') {
  const view = viewOf(callOf('spiffe://west/node/n1'), {
    domain: 'west',
    exports: new FakeExports(),
    policy: withoutPolicy,
  })
  return others.findEndpoints({
    query: { networkServiceNames: ['files'] },
    domain,
    watch,
    view,
    caller: 'n1',
    signal: stop.signal,
  })
}

const find = () => collect(search(false))

describe('OtherDomains.findEndpoints', () => {
  test('queries without the domain and answers with it', async () => {
    const [found, ...rest] = await find()
    expect(east.queries).toEqual([{ endpoint: { networkServiceNames: ['files'] }, watch: false }])
    expect(found?.value).toMatchObject({
      name: 'nse-1@east',
      networkServiceNames: ['files@east'],
      url: 'tcp://192.0.2.1:5001',
      pathIds: ['spiffe://east/node/n1'],
      expiresMs: clock.nowMs() + 10 * MINUTE_MS,
    })
    expect(rest).toEqual([])
  })

  test('sends one query for all callers that ask the same within a short time', async () => {
    await Promise.all([find(), find(), find()])
    await find()
    expect(east.queries).toHaveLength(1)
    await clock.advance(2_001)
    await find()
    expect(east.queries).toHaveLength(2)
  })

  test('serves an old answer while the other registry is away, for 30 minutes', async () => {
    await find()
    east.failure = new NsmError('unavailable', 'Cannot reach peer')
    await clock.advance(29 * MINUTE_MS)
    expect(await find()).toHaveLength(1)
    await clock.advance(2 * MINUTE_MS)
    await expect(find()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('serves no old answer when the other registry refuses, or the domain has left', async () => {
    await find()
    await clock.advance(MINUTE_MS)
    east.failure = new NsmError('permission_denied', 'no')
    await expect(find()).rejects.toMatchObject({ code: 'permission_denied' })
    east.failure = undefined
    await find()
    isJoined = false
    await expect(find()).rejects.toMatchObject({ code: 'not_found' })
  })

  test('cuts off an answer that is too long', async () => {
    east.endpoints = Array.from({ length: 5_000 }, (_, index) => endpoint(`nse-${index}`))
    expect(await find()).toHaveLength(1_000)
  })

  test('weighs an answer, and takes no record that is larger than any honest one', async () => {
    east.endpoints = Array.from({ length: 1_000 }, (_, index) => heavy(`nse-${index}`, 50))
    expect((await find()).length).toBeLessThan(60)
    await clock.advance(3_000)
    east.endpoints = Array.from({ length: 10 }, (_, index) => heavy(`nse-${index}`, 200))
    expect(await find()).toEqual([])
  })

  test('drops records that break our rules and keeps the rest', async () => {
    east.endpoints = [
      endpoint('a@west'),
      endpoint('a b'),
      endpoint('b', { networkServiceNames: ['files@west'] }),
      endpoint('c', { url: 'tcp://127.0.0.1:5001' }),
      endpoint('d', { url: 'unix:///run/nsm.sock' }),
      endpoint('e', { url: '' }),
      endpoint('good'),
    ]
    expect((await find()).map(({ value }) => value.name)).toEqual(['good@east'])
  })

  test('refuses a domain that has not joined', async () => {
    await expect(collect(search(false, 'north'))).rejects.toMatchObject({ code: 'not_found' })
    await expect(collect(search(true, 'north'))).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('OtherDomains.findEndpoints as a watch', () => {
  test('follows the other registry, also over an interruption in which a record went', async () => {
    const reader = new Reader(search(true))
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-1@east' }, deleted: false })
    expect(await reader.isIdle()).toBe(true)
    const second = endpoint('nse-2', { expiresMs: clock.nowMs() + MINUTE_MS })
    east.tell(second)
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-2@east' }, deleted: false })
    east.break()
    expect(await reader.isIdle()).toBe(true)
    east.endpoints = [second]
    await clock.advance(1_000)
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-1@east' }, deleted: true })
    east.tell(second, true)
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-2@east' }, deleted: true })
    stop.abort()
    expect(await reader.next()).toBeUndefined()
  })

  test('withdraws nothing while the other registry is away', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    east.failure = new NsmError('unavailable', 'Cannot reach peer')
    east.break()
    for (let minute = 0; minute < 20; minute += 1) {
      await clock.advance(MINUTE_MS)
      expect(await reader.isIdle()).toBe(true)
    }
  })

  test('is one stream for all watchers of the same query, from the first to the last', async () => {
    const watches = () => east.queries.filter(({ watch }) => watch).length
    const view = viewOf(callOf('spiffe://west/node/n1'), {
      domain: 'west',
      exports: new FakeExports(),
      policy: withoutPolicy,
    })
    const begin = (signal: AbortSignal) =>
      new Reader(others.findEndpoints({ query: {}, domain: 'east', watch: true, view, caller: 'n1', signal }))
    const stops = [new AbortController(), new AbortController(), new AbortController()]
    const readers = stops.map(({ signal }) => begin(signal))
    for (const reader of readers.slice(0, 2))
      expect(await reader.next()).toMatchObject({ value: { name: 'nse-1@east' } })
    for (const reader of readers.slice(0, 2)) expect(await reader.isIdle()).toBe(true)
    east.tell(endpoint('nse-2'))
    for (const reader of readers.slice(0, 2))
      expect(await reader.next()).toMatchObject({ value: { name: 'nse-2@east' } })
    expect((await readers[2]?.next())?.value.name).toBe('nse-1@east')
    expect((await readers[2]?.next())?.value.name).toBe('nse-2@east')
    expect(watches()).toBe(1)
    for (const reader of readers) expect(await reader.isIdle()).toBe(true)
    stops[0]?.abort()
    expect(await readers[0]?.next()).toBeUndefined()
    east.tell(endpoint('nse-1'), true)
    expect(await readers[1]?.next()).toMatchObject({ value: { name: 'nse-1@east' }, deleted: true })
    expect(await readers[2]?.next()).toMatchObject({ deleted: true })
    for (const reader of readers.slice(1)) expect(await reader.isIdle()).toBe(true)
    stops[1]?.abort()
    stops[2]?.abort()
    await clock.advance(0)
    const later = begin(stop.signal)
    expect(await later.next()).toMatchObject({ value: { name: 'nse-2@east' } })
    expect(await later.isIdle()).toBe(true)
    expect(watches()).toBe(2)
  })

  test('starts with a new answer, not with a cached one', async () => {
    await find()
    east.endpoints = []
    const reader = new Reader(search(true))
    expect(await reader.isIdle()).toBe(true)
  })

  test('survives an interruption, however long the registry had been quiet', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    await clock.advance(60 * MINUTE_MS)
    east.break()
    expect(await reader.isIdle()).toBe(true)
    east.tell(endpoint('nse-2'))
    await clock.advance(1_000)
    const told = [await reader.next(), await reader.next()].map((found) => found?.value.name)
    expect(told.sort()).toEqual(['nse-1@east', 'nse-2@east']) // the first with a later expiry
  })

  test('withdraws a record that no longer keeps our rules', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    east.tell(endpoint('nse-1', { url: 'tcp://127.0.0.1:1' }))
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-1@east' }, deleted: true })
  })

  test('holds no more than an answer may have, however much comes', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    for (let index = 0; index < 80; index += 1) east.tell(heavy(`heavy-${index}`, 50))
    let held = 0
    while (!(await reader.isIdle())) {
      await reader.next()
      held += 1
    }
    expect(held).toBeGreaterThan(15)
    expect(held).toBeLessThan(60)
  })

  test('starts again later when nothing that comes keeps our rules, and logs that once a minute', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    for (let index = 0; index < 500; index += 1) east.tell(endpoint(`junk ${index}`))
    east.endpoints = [endpoint('nse-1')]
    expect(await reader.isIdle()).toBe(true)
    expect(lines.filter((line) => line.startsWith('Dropped'))).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith('Lost the watch'))).toHaveLength(1)
    await clock.advance(1_000)
    await reader.isIdle()
    east.tell(endpoint('nse-2'))
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-1@east' } }) // its time to live is counted anew
    expect(await reader.next()).toMatchObject({ value: { name: 'nse-2@east' } })
  })

  test('fails when the other registry never answered', async () => {
    east.failure = new NsmError('unavailable', 'Cannot reach peer')
    await expect(new Reader(search(true)).next()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('ends when the domain leaves', async () => {
    const reader = new Reader(search(true))
    await reader.next()
    expect(await reader.isIdle()).toBe(true)
    isJoined = false
    east.break()
    expect(await reader.isIdle()).toBe(true)
    const ended = expect(reader.next()).rejects.toMatchObject({ code: 'not_found' })
    await clock.advance(1_000)
    await ended
  })
})
