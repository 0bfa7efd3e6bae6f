import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { refusal } from './errors.ts'
import { Informer } from './informer.ts'
import type { KubeObject, Resource, WatchEvent } from './objects.ts'
import { gone, ScriptedSource } from './testing/index.ts'

interface Pod extends KubeObject {
  readonly phase: string
}

const pods: Resource<Pod> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', isNamespaced: true }

function pod(name: string, resourceVersion: number, phase = 'Running'): Pod {
  return { metadata: { name, namespace: 'shop', resourceVersion: `${resourceVersion}` }, phase }
}

const page = (resourceVersion: number, ...items: Pod[]) => ({ resourceVersion: `${resourceVersion}`, items })
const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Pod): WatchEvent<Pod> => ({ type, object })
const bookmark = (version: number): WatchEvent<Pod> => ({ type: 'BOOKMARK', resourceVersion: `${version}` })

let clock: FakeClock
let source: ScriptedSource<Pod>
let informer: Informer<Pod, string>
let told: string[]

beforeEach(() => {
  clock = new FakeClock()
  source = new ScriptedSource()
})

afterEach(async () => {
  await informer.close()
  expect(clock.pending).toBe(0)
})

async function start(more: { most?: number } = {}): Promise<void> {
  const read = ({ phase }: Pod) => {
    if (phase === 'Malformed') throw new Error('malformed')
    return phase === 'Hidden' ? undefined : phase
  }
  informer = new Informer({ client: source, resource: pods, read, clock, logger: silentLogger, ...more })
  told = []
  informer.subscribe(({ key, resourceVersion, before, value }) => {
    told.push(`${key}@${resourceVersion} ${before ?? '-'} > ${value ?? '-'}`)
  })
  await clock.advance(0)
}

describe('Informer', () => {
  test('lists all pages, then watches from there', async () => {
    source.listed = [page(7, pod('a', 3)), page(7, pod('b', 5, 'Pending'))]
    await start()
    expect(source.asked).toEqual(['list', 'watch 7'])
    expect([...informer.entries()]).toEqual([
      ['shop/a', 'Running'],
      ['shop/b', 'Pending'],
    ])
    source.push(event('MODIFIED', pod('b', 8)), event('ADDED', pod('c', 9)), event('DELETED', pod('a', 10)))
    await informer.until(() => informer.resourceVersion === '10')
    expect([...informer.entries()].map(([key]) => key)).toEqual(['shop/b', 'shop/c'])
    expect(told.slice(2)).toEqual(['shop/b@8 Pending > Running', 'shop/c@9 - > Running', 'shop/a@10 Running > -'])
  })

  test('goes on where the last watch ended, bookmarks included, and does not list again', async () => {
    source.listed = [page(7)]
    await start()
    source.push(event('ADDED', pod('a', 8)), bookmark(50), 'end')
    await clock.advance(0)
    expect(source.asked).toEqual(['list', 'watch 7', 'watch 50'])
    source.push(new NsmError('unavailable', 'connection refused'))
    await clock.advance(0)
    expect(informer.isWatching).toBe(false)
    expect(informer.get('shop/a')).toBe('Running')
    await clock.advance(1_000)
    expect(source.asked.slice(3)).toEqual(['watch 50'])
    expect(informer.isWatching).toBe(true)
  })

  test('lists again when the server has forgotten, and tells what differs and nothing else', async () => {
    source.listed = [page(7, pod('a', 3), pod('b', 5), pod('c', 6))]
    await start()
    told = []
    source.listed = [page(90, pod('a', 3), pod('b', 70, 'Pending'), pod('d', 80))]
    source.push(gone())
    await clock.advance(1_000)
    expect(source.asked).toEqual(['list', 'watch 7', 'list', 'watch 90'])
    expect(told).toEqual(['shop/c@90 Running > -', 'shop/b@70 Running > Pending', 'shop/d@80 - > Running'])
  })

  test('keeps what it has while the API server is away, and asks less and less often', async () => {
    source.listed = [page(7, pod('a', 3))]
    await start()
    expect([informer.isWatching, informer.awayMs]).toEqual([true, 0])
    source.isAway = true
    source.push(new NsmError('unavailable', 'connection refused'))
    await clock.advance(30 * 60_000)
    expect(informer.get('shop/a')).toBe('Running')
    expect([informer.isWatching, informer.awayMs]).toEqual([false, 30 * 60_000])
    expect(source.asked.length).toBeGreaterThan(60)
    expect(source.asked.length).toBeLessThan(150)
  })

  test('is not synced before the first list is complete', async () => {
    source.listed = refusal(500, { status: {}, call: 'GET' })
    await start()
    let isSynced = false
    const synced = informer.synced().then(() => (isSynced = true))
    await clock.advance(5_000)
    expect([isSynced, informer.isSynced]).toEqual([false, false])
    source.listed = [page(1)]
    await clock.advance(10_000)
    await synced
    expect(informer.isSynced).toBe(true)
  })

  test('rests for as long as the server asks', async () => {
    source.listed = refusal(429, { status: { details: { retryAfterSeconds: 20 } }, call: 'GET' })
    await start()
    await clock.advance(19_999)
    expect(source.asked).toEqual(['list'])
    await clock.advance(2_000)
    expect(source.asked).toEqual(['list', 'list'])
  })

  test('leaves out what it does not keep, and what it cannot read', async () => {
    source.listed = [page(7, pod('a', 3, 'Hidden'), pod('b', 4, 'Malformed'), pod('c', 5))]
    await start()
    expect([...informer.entries()]).toEqual([['shop/c', 'Running']])
    source.push(event('MODIFIED', pod('c', 8, 'Hidden')), event('MODIFIED', pod('b', 9)))
    await informer.until(() => informer.resourceVersion === '9')
    expect([...informer.entries()]).toEqual([['shop/b', 'Running']])
  })

  test('an object that was made anew under its name is another one', async () => {
    source.listed = [page(7, pod('a', 3))]
    await start()
    told = []
    source.push(event('DELETED', pod('a', 8)), event('ADDED', pod('a', 9, 'Pending')))
    await informer.until(() => informer.resourceVersion === '9')
    expect(told).toEqual(['shop/a@8 Running > -', 'shop/a@9 - > Pending'])
  })

  test('does not follow more objects than it may', async () => {
    source.listed = [page(7, pod('a', 1), pod('b', 2), pod('c', 3))]
    await start({ most: 2 })
    expect([informer.isSynced, informer.size]).toEqual([false, 0])
    source.listed = [page(8, pod('a', 1), pod('b', 2))]
    await clock.advance(1_000)
    expect(informer.size).toBe(2)
    source.push(event('ADDED', pod('c', 9)))
    await clock.advance(0)
    expect(informer.isWatching).toBe(false)
    await clock.advance(60_000)
    expect(source.asked.at(-1)).toBe('watch 8')
  })

  test('whoever waits is told when it closes', async () => {
    source.listed = [page(7)]
    await start()
    const waiting = informer.until(() => false)
    await informer.close()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
  })
})
