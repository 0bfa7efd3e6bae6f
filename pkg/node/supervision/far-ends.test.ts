import { describe, expect, it } from 'vitest'
import { type Connection, type ConnectionEvent, emptyContext } from '../../api/index.ts'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { FarEnds } from './far-ends.ts'

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
