import { describe, expect, it } from 'vitest'
import {
  type Call,
  type Connection,
  type ConnectionEvent,
  emptyContext,
  type MonitorScopeSelector,
} from '../api/index.ts'
import { silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { type ConnectionChange, ConnectionMonitor, FarEnds, isSelected, type WatchedConnection } from './index.ts'

const ALICE = 'spiffe://west/node/n1/uid/1000'
const everything: MonitorScopeSelector = { pathSegments: [], networkServices: [] }

function connection(id: string, change: Partial<Connection> = {}): Connection {
  const segments = [`client-of-${id}`, id, `next-of-${id}`].map((each, at) => ({
    name: ['client', 'n1', 'n2'][at] ?? '',
    id: each,
    token: '',
    expiresMs: undefined,
    metrics: {},
  }))
  const base = { networkService: 'files', mechanism: undefined, context: emptyContext, labels: {}, endpointName: '' }
  return { ...base, id, path: { index: 1, segments }, payload: 'IP', state: 'UP', ...change }
}

class Feed {
  readonly records = new Map<string, WatchedConnection>()
  readonly listeners = new Set<(change: ConnectionChange) => void>()
  all = () => this.records.values()
  subscribe = (listener: (change: ConnectionChange) => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  tell(type: ConnectionChange['type'], record: WatchedConnection): void {
    for (const listener of this.listeners) listener({ type, record })
  }
}

function watch(feed: Feed, { selector = everything, spiffeId = ALICE, isAdmin = false } = {}) {
  const abort = new AbortController()
  const call: Call = { peer: { spiffeId, chain: [], attestation: undefined }, token: undefined, signal: abort.signal }
  const monitor = new ConnectionMonitor({ connections: feed, isAdmin: () => isAdmin })
  const events = monitor.monitor(selector, call)[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await events.next()
    return done === true ? 'end' : `${value.type} ${[...value.connections.keys()].join()}`
  }
  return { abort, next }
}

describe('ConnectionMonitor', () => {
  it('begins with the present state, also when there is none', async () => {
    const feed = new Feed()
    expect(await watch(feed).next()).toBe('INITIAL_STATE_TRANSFER ')
    feed.records.set('c1', { connection: connection('c1'), identities: [ALICE] })
    expect(await watch(feed).next()).toBe('INITIAL_STATE_TRANSFER c1')
  })

  it('then tells each change, and ends with the caller', async () => {
    const feed = new Feed()
    const { next, abort } = watch(feed)
    await next()
    feed.tell('UPDATE', { connection: connection('c1'), identities: [ALICE] })
    feed.tell('DELETE', { connection: connection('c1'), identities: [ALICE] })
    expect([await next(), await next()]).toEqual(['UPDATE c1', 'DELETE c1'])
    abort.abort()
    expect([await next(), feed.listeners.size]).toEqual(['end', 0])
  })

  it('shows only connections on whose path the caller is, and an administrator all', async () => {
    const feed = new Feed()
    feed.records.set('c1', { connection: connection('c1'), identities: ['spiffe://west/node/n1/uid/7'] })
    expect(await watch(feed).next()).toBe('INITIAL_STATE_TRANSFER ')
    expect(await watch(feed, { isAdmin: true }).next()).toBe('INITIAL_STATE_TRANSFER c1')
    const { next } = watch(feed)
    await next()
    feed.tell('UPDATE', { connection: connection('c1'), identities: [] })
    feed.tell('UPDATE', { connection: connection('mine'), identities: [ALICE] })
    expect(await next()).toBe('UPDATE mine')
  })

  it('lets go of a watcher that does not read, and keeps the others', async () => {
    const feed = new Feed()
    const [lazy, diligent] = [watch(feed), watch(feed)]
    await diligent.next()
    for (let count = 0; count < 1_001; count += 1) {
      feed.tell('UPDATE', { connection: connection('c1'), identities: [ALICE] })
      await diligent.next()
    }
    await expect(lazy.next()).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect(feed.listeners.size).toBe(1)
  })
})

describe('isSelected', () => {
  const segment = (name: string, id = '') => ({ name, id, token: '' })
  it.each<[string, Partial<MonitorScopeSelector>, boolean]>([
    ['nothing', {}, true],
    ['its service', { networkServices: ['other', 'files'] }, true],
    ['another service', { networkServices: ['other'] }, false],
    ['one segment', { pathSegments: [segment('n1', 'c1')] }, true],
    ['a wildcard', { pathSegments: [segment('')] }, true],
    ['two neighbours', { pathSegments: [segment('n1'), segment('n2')] }, true],
    ['two that are not neighbours', { pathSegments: [segment('client'), segment('n2')] }, false],
    ['the wrong order', { pathSegments: [segment('n2'), segment('n1')] }, false],
    ['more than there is', { pathSegments: Array.from({ length: 4 }, () => segment('')) }, false],
    ['another id', { pathSegments: [segment('n1', 'c2')] }, false],
  ])('judges a selector that names %s', (_what, selector, expected) => {
    expect(isSelected({ ...everything, ...selector }, connection('c1'))).toBe(expected)
  })
})

describe('FarEnds', () => {
  /** A far node whose streams the test feeds. */
  function farNode() {
    const opened: ReadableStreamDefaultController<ConnectionEvent>[] = []
    const states: string[] = []
    const clock = new FakeClock()
    const connect = async (_url: string, signal: AbortSignal) => ({
      monitor: () =>
        new ReadableStream<ConnectionEvent>({
          start(controller) {
            opened.push(controller)
            signal.addEventListener('abort', () => controller.error(signal.reason))
          },
        }),
    })
    const onState = (id: string, state: string) => states.push(`${id} ${state}`)
    const farEnds = new FarEnds({ connect, onState, clock, logger: silentLogger })
    const say = async (type: ConnectionEvent['type'], ...connections: Connection[]) => {
      opened.at(-1)?.enqueue({ type, connections: new Map(connections.map((each) => [each.id, each])) })
      await clock.advance(0)
    }
    return { farEnds, opened, states, clock, say }
  }

  /** As the far node sees our connection `id`. */
  function seen(id: string, state: Connection['state'] = 'UP'): Connection {
    const near = connection(id)
    return { ...near, id: `next-of-${id}`, path: { ...near.path, index: 2 }, state }
  }

  it('follows all connections to a node by one stream, and stops with the last', async () => {
    const { farEnds, opened, clock } = farNode()
    farEnds.follow('c1', 'tcp://far')
    farEnds.follow('c2', 'tcp://far')
    await clock.advance(0)
    expect([opened.length, farEnds.size]).toEqual([1, 1])
    farEnds.unfollow('c1', 'tcp://far')
    farEnds.unfollow('c2', 'tcp://far')
    expect(farEnds.size).toBe(0)
    await farEnds.close()
  })

  it('tells what the far node says of our connections, and of no others', async () => {
    const { farEnds, states, clock, say } = farNode()
    farEnds.follow('c1', 'tcp://far')
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('strange'))
    await say('UPDATE', seen('c1', 'DOWN'))
    await say('DELETE', seen('c1'))
    expect(states).toEqual(['c1 UP', 'c1 DOWN', 'c1 DOWN'])
    await farEnds.close()
  })

  it('says nothing when a stream breaks, and what is missing when it is back', async () => {
    const { farEnds, opened, states, clock, say } = farNode()
    farEnds.follow('c1', 'tcp://far')
    farEnds.follow('c2', 'tcp://far')
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('c2'))
    states.length = 0
    opened.at(-1)?.error(new Error('gone'))
    await clock.advance(1_000)
    expect([opened.length, states]).toEqual([2, []])
    farEnds.follow('c3', 'tcp://far')
    await say('INITIAL_STATE_TRANSFER', seen('c1'))
    expect(states).toEqual(['c1 UP', 'c2 DOWN'])
    await farEnds.close()
    expect(clock.pending).toBe(0)
  })
})
