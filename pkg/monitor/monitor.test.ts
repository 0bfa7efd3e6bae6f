import { describe, expect, it } from 'vitest'
import { type Call, type Connection, emptyContext, type MonitorScopeSelector } from '../api/index.ts'
import { withoutPolicy } from '../policy/index.ts'
import { TestPolicies } from '../policy/testing/index.ts'
import { type ConnectionChange, ConnectionMonitor, isSelected, type WatchedConnection } from './index.ts'

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

function watch(feed: Feed, { selector = everything, spiffeId = ALICE, isAdmin = false, policy = withoutPolicy } = {}) {
  const abort = new AbortController()
  const call: Call = { peer: { spiffeId, chain: [], attestation: undefined }, token: undefined, signal: abort.signal }
  const monitor = new ConnectionMonitor({ connections: feed, isAdmin: () => isAdmin, policy })
  const events = monitor.monitor(selector, call)[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await events.next()
    return done === true ? 'end' : `${value.type} ${[...value.connections.keys()].join()}`
  }
  return { abort, next }
}

describe('ConnectionMonitor', () => {
  it('begins with the current state, even if it is empty', async () => {
    const feed = new Feed()
    expect(await watch(feed).next()).toBe('INITIAL_STATE_TRANSFER ')
    feed.records.set('c1', { connection: connection('c1'), identities: [ALICE] })
    expect(await watch(feed).next()).toBe('INITIAL_STATE_TRANSFER c1')
  })

  it('then reports each change, and ends with the caller', async () => {
    const feed = new Feed()
    const { next, abort } = watch(feed)
    await next()
    feed.tell('UPDATE', { connection: connection('c1'), identities: [ALICE] })
    feed.tell('DELETE', { connection: connection('c1'), identities: [ALICE] })
    expect([await next(), await next()]).toEqual(['UPDATE c1', 'DELETE c1'])
    abort.abort()
    expect([await next(), feed.listeners.size]).toEqual(['end', 0])
  })

  it('shows a caller only the connections with its identity in their path, and an administrator all', async () => {
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

  it('shows no more than the policy lets a caller watch, and what it opens to one', async () => {
    const feed = new Feed()
    const policy = new TestPolicies()
    feed.records.set('c1', { connection: connection('c1'), identities: [ALICE] })
    policy.change('defaults: {watch: deny}')
    expect(await watch(feed, { policy }).next()).toBe('INITIAL_STATE_TRANSFER ')
    const spiffeId = 'spiffe://west/node/n1/uid/7'
    policy.change("rules: [{name: eyes, effect: allow, actions: [watch], when: client.uid == '7'}]")
    expect(await watch(feed, { policy, spiffeId }).next()).toBe('INITIAL_STATE_TRANSFER c1')
    expect(await watch(feed, { policy, spiffeId: 'spiffe://west/node/n1/uid/8' }).next()).toBe(
      'INITIAL_STATE_TRANSFER ',
    )
  })

  it('ends the stream of a watcher that does not read, and keeps the others', async () => {
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
  ])('matches a selector with %s', (_what, selector, expected) => {
    expect(isSelected({ ...everything, ...selector }, connection('c1'))).toBe(expected)
  })
})
