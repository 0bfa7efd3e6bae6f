import { describe, expect, it } from 'vitest'
import { type Connection, type ConnectionEvent, emptyContext } from '../../api/index.ts'
import { NsmError, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import type { Target } from '../../connections/index.ts'
import { FarEnds } from './far-ends.ts'

const FAR: Target = { at: 'node', endpoint: 'nse', url: 'tcp://192.0.2.2:5001', domain: '' }
const LOCAL: Target = {
  at: 'endpoint',
  endpoint: 'nse',
  url: 'unix:///run/nse.sock',
  owner: 'spiffe://west/node/n1/uid/7',
}

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

describe('FarEnds', () => {
  /** A far node whose streams the test feeds. */
  function farNode() {
    const opened: ReadableStreamDefaultController<ConnectionEvent>[] = []
    const states: string[] = []
    const clock = new FakeClock()
    const far = { isAway: false }
    const connect = async (_target: Target, signal: AbortSignal) => {
      if (far.isAway) throw new NsmError('unavailable', 'Cannot reach the peer')
      return connected(signal)
    }
    const connected = (signal: AbortSignal) => ({
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
    return { farEnds, opened, states, clock, say, far }
  }

  /** As the far node sees our connection `id`. */
  function seen(id: string, state: Connection['state'] = 'UP'): Connection {
    const near = connection(id)
    return { ...near, id: `next-of-${id}`, path: { ...near.path, index: 2 }, state }
  }

  it('follows all connections to a node by one stream, and stops with the last', async () => {
    const { farEnds, opened, clock } = farNode()
    farEnds.follow('c1', FAR)
    farEnds.follow('c2', FAR)
    await clock.advance(0)
    expect([opened.length, farEnds.size]).toEqual([1, 1])
    farEnds.unfollow('c1')
    farEnds.unfollow('c2')
    expect(farEnds.size).toBe(0)
    await farEnds.close()
  })

  it('tells what the far node says of our connections, and of no others', async () => {
    const { farEnds, states, clock, say } = farNode()
    farEnds.follow('c1', FAR)
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('strange'))
    await say('UPDATE', seen('c1', 'DOWN'))
    await say('DELETE', seen('c1'))
    expect(states).toEqual(['c1 UP', 'c1 DOWN', 'c1 DOWN'])
    await farEnds.close()
  })

  it('says nothing when a stream breaks, and what is missing when it is back', async () => {
    const { farEnds, opened, states, clock, say } = farNode()
    farEnds.follow('c1', FAR)
    farEnds.follow('c2', FAR)
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('c2'))
    states.length = 0
    opened.at(-1)?.error(new Error('gone'))
    await clock.advance(1_000)
    expect([opened.length, states]).toEqual([2, []])
    farEnds.follow('c3', FAR)
    await say('INITIAL_STATE_TRANSFER', seen('c1'))
    expect(states).toEqual(['c1 UP', 'c2 DOWN'])
    await farEnds.close()
    expect(clock.pending).toBe(0)
  })

  it('hears of a hop that tells ever more no more often than its wires may change', async () => {
    const { farEnds, states, clock, say } = farNode()
    farEnds.follow('c1', FAR)
    await clock.advance(0)
    for (let toggle = 0; toggle < 1_000; toggle += 1) say('UPDATE', seen('c1', toggle % 2 === 0 ? 'DOWN' : 'UP'))
    for (let tenth = 0; tenth < 10; tenth += 1) await clock.advance(100)
    expect(states.length).toBeGreaterThan(50)
    expect(states.length).toBeLessThanOrEqual(125)
    await farEnds.close()
  })

  it('hears at once of a hop whose every wire changes', async () => {
    const { farEnds, states, clock, say } = farNode()
    const ids = Array.from({ length: 1_000 }, (_, at) => `c${at}`)
    for (const id of ids) farEnds.follow(id, FAR)
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', ...ids.map((id) => seen(id)))
    states.length = 0
    for (const id of ids) say('UPDATE', seen(id, 'DOWN'))
    for (let tenth = 0; tenth < 10; tenth += 1) await clock.advance(100)
    expect(states.length).toBe(1_000)
    await farEnds.close()
  })

  it('follows a connection only to where it leads now', async () => {
    const { farEnds, states, clock, say } = farNode()
    farEnds.follow('c1', LOCAL)
    farEnds.follow('c2', FAR)
    farEnds.follow('c1', { ...FAR, endpoint: 'other' })
    await clock.advance(0)
    expect(farEnds.size).toBe(1)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('c2'))
    expect(states).toEqual(['c1 UP', 'c2 UP'])
    await farEnds.close()
  })

  it('says at once that an endpoint is gone which ends its stream and does not answer', async () => {
    const { farEnds, opened, states, clock, say, far } = farNode()
    farEnds.follow('c1', LOCAL)
    farEnds.follow('c2', LOCAL)
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('c2'))
    await clock.advance(60_000)
    states.length = 0
    far.isAway = true
    opened.at(-1)?.error(new Error('gone'))
    await clock.advance(0)
    expect(states).toEqual(['c1 DOWN', 'c2 DOWN'])
    await farEnds.close()
    expect(clock.pending).toBe(0)
  })

  it('believes nothing of an endpoint whose stream has come of age: it is asked again', async () => {
    const { farEnds, opened, states, clock, say } = farNode()
    farEnds.follow('c1', LOCAL)
    farEnds.follow('c2', LOCAL)
    await clock.advance(0)
    await say('INITIAL_STATE_TRANSFER', seen('c1'), seen('c2'))
    await clock.advance(60_000)
    states.length = 0
    opened.at(-1)?.error(new Error('too old'))
    await clock.advance(0)
    expect([opened.length, states]).toEqual([2, []])
    await say('INITIAL_STATE_TRANSFER', seen('c1'))
    expect(states).toEqual(['c1 UP', 'c2 DOWN'])
    await farEnds.close()
  })

  it('asks an endpoint that has no monitor only once', async () => {
    const { farEnds, opened, states, clock } = farNode()
    farEnds.follow('c1', LOCAL)
    await clock.advance(0)
    opened.at(-1)?.error(new NsmError('unimplemented', 'Cannot call the method'))
    await clock.advance(60_000)
    expect([opened.length, states]).toEqual([1, []])
    await farEnds.close()
    expect(clock.pending).toBe(0)
  })
})
