import { expect, it } from 'vitest'
import { type Connection, type ConnectionEvent, emptyContext, type MonitorClient } from '../api/index.ts'
import { Mailbox } from './mailbox.ts'
import { SharedMonitor } from './shared-monitor.ts'

function wire(id: string, state: Connection['state'] = 'UP'): Connection {
  const segments = ['nsc', 'node'].map((name) => ({ name, id: `${name}-${id}`, token: '', expiresMs: 0, metrics: {} }))
  const plain = { networkService: 'files', mechanism: undefined, context: emptyContext, labels: {}, endpointName: '' }
  return { ...plain, id: `node-${id}`, payload: 'IP', path: { index: 1, segments }, state }
}

const event = (type: ConnectionEvent['type'], ...wires: readonly Connection[]): ConnectionEvent => ({
  type,
  connections: new Map(wires.map((each) => [each.id, each])),
})

/** A node on whose shared stream the test says what happens. */
class Node implements MonitorClient {
  /** The ids that were asked for; the shared stream asks for none. */
  readonly asked: string[] = []
  said = new Mailbox<ConnectionEvent>()

  async *monitor({ pathSegments: [segment] }: Parameters<MonitorClient['monitor']>[0]): AsyncIterable<ConnectionEvent> {
    this.asked.push(segment?.id ?? '')
    if (segment?.id !== '') yield event('INITIAL_STATE_TRANSFER', wire('late'))
    else while (true) yield await this.said.take()
  }
}

function watch(shared: SharedMonitor, id: string, stop = new AbortController()) {
  const selector = { pathSegments: [{ name: 'nsc', id: `nsc-${id}`, token: '' }], networkServices: [] }
  const events = shared.monitor(selector, { signal: stop.signal })[Symbol.asyncIterator]()
  const next = async () => {
    const { value } = await events.next()
    return [value?.type, ...(value?.connections.values() ?? [])].map((each) => each.state ?? each)
  }
  return { next, stop }
}

it('hands each watcher of one stream what is about its connection', async () => {
  const node = new Node()
  const shared = new SharedMonitor(node, 'nsc')
  const [a, b] = [watch(shared, 'a'), watch(shared, 'b')]
  const firsts = Promise.all([a.next(), b.next()])
  node.said.put(event('INITIAL_STATE_TRANSFER', wire('a'), wire('b')))
  expect(await firsts).toEqual([
    ['INITIAL_STATE_TRANSFER', 'UP'],
    ['INITIAL_STATE_TRANSFER', 'UP'],
  ])
  const second = b.next()
  node.said.put(event('UPDATE', wire('a', 'DOWN')))
  node.said.put(event('DELETE', wire('b')))
  expect(await Promise.all([a.next(), second])).toEqual([
    ['UPDATE', 'DOWN'],
    ['DELETE', 'UP'],
  ])
  expect(node.asked).toEqual([''])
})

it('asks how a wire is that the stream has not named first', async () => {
  const node = new Node()
  const shared = new SharedMonitor(node, 'nsc')
  const early = watch(shared, 'late')
  const first = early.next()
  node.said.put(event('INITIAL_STATE_TRANSFER'))
  expect(await first).toEqual(['INITIAL_STATE_TRANSFER', 'UP'])
  expect(await watch(shared, 'late').next()).toEqual(['INITIAL_STATE_TRANSFER', 'UP'])
  expect(node.asked).toEqual(['', 'nsc-late', 'nsc-late'])
})

it('fails all watchers with the stream, and opens it again for the next', async () => {
  const node = new Node()
  const shared = new SharedMonitor(node, 'nsc')
  const watchers = [watch(shared, 'a'), watch(shared, 'b')]
  const nexts = Promise.allSettled(watchers.map(({ next }) => next()))
  node.said.fail(new Error('cut'))
  expect(await nexts).toMatchObject([{ reason: { message: 'cut' } }, { reason: { message: 'cut' } }])
  node.said = new Mailbox()
  node.said.put(event('INITIAL_STATE_TRANSFER', wire('a')))
  expect(await watch(shared, 'a').next()).toEqual(['INITIAL_STATE_TRANSFER', 'UP'])
})

it('lets a watcher leave while it waits', async () => {
  const { next, stop } = watch(new SharedMonitor(new Node(), 'nsc'), 'a')
  const waiting = next()
  stop.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
})
