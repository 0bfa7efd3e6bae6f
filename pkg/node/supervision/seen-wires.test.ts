import { afterEach, describe, expect, it } from 'vitest'
import { isConnecting } from '../../api/index.ts'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { faultOf } from '../../connections/index.ts'
import { FakeEngine, fakeDataplane } from '../../dataplane/testing/index.ts'
import type { End, KernelEnd, WireIntent } from '../../mechanism/index.ts'
import { wireguardEnd } from '../../mechanism/testing/index.ts'
import { connectionTable, testRecord } from '../testing/index.ts'
import { SeenWires } from './seen-wires.ts'
import { shownConnections } from './shown-connections.ts'

const FAR = { ip: '192.0.2.2', port: 51_820 }
const client: KernelEnd = {
  kind: 'kernel',
  role: 'client',
  namespace: 'inode://4/7',
  interfaceName: 'nsm-1',
  addresses: [],
  routes: [],
  policies: [],
}
const keys = { privateKey: '', peerResponderKey: '', peerInitiatorKey: '' }
const tunnel = wireguardEnd('server', { ...keys, peer: FAR, probeMessages: true })
const plain: End = { kind: 'vxlan', role: 'server', vni: 7, peer: { ip: '192.0.2.2', port: 4789 } }

const opened: SeenWires[] = []
afterEach(() => {
  for (const seen of opened.splice(0)) seen.close()
})

/** A node with these wires, by id. */
function node(ends: Readonly<Record<string, End>>) {
  const intents = new Map<string, WireIntent>()
  const want = (id: string, server: End) =>
    intents.set(id, { id, payload: 'IP', mtuBytes: 1440, client, server, clientPrefixes: [], serverPrefixes: [] })
  for (const [id, end] of Object.entries(ends)) want(id, end)
  const table = connectionTable(...Object.keys(ends).map((id) => testRecord(id)))
  const engine = new FakeEngine()
  const wires = { intent: (id: string) => intents.get(id) }
  const heard: string[] = []
  const clock = new FakeClock()
  table.subscribe(({ type, record: { id, connection } }) => heard.push(`${type} ${id} ${connection.state}`))
  const seen = new SeenWires({ table, wires, dataplane: fakeDataplane(engine), clock, logger: silentLogger })
  opened.push(seen)
  const of = (id: string) => {
    const record = table.get(id)
    return record === undefined ? undefined : (faultOf(record) ?? seen.of(id))
  }
  return { table, engine, intents, want, of, heard, clock, shown: shownConnections(table, seen) }
}

/** Lets events be heard. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

describe('SeenWires', () => {
  it('takes a tunnel for connecting until its own session is up', async () => {
    const { engine, of, table } = node({ c1: tunnel, c2: tunnel })
    await settled()
    expect([of('c1'), of('c2')]).toEqual(['connecting', 'connecting'])
    engine.sessionUp('c1:s')
    await settled()
    expect([of('c1'), of('c2')]).toEqual(['up', 'connecting'])
    expect(table.get('c2')?.connection.state).toBe('UP')
  })

  it('tells who watches a connection when its wire has been seen to work', async () => {
    const { engine, shown, table } = node({ c1: tunnel })
    await settled()
    const told: boolean[] = []
    shown.subscribe(({ record }) => told.push(isConnecting(record.connection)))
    expect([...shown.all()].map(({ connection }) => isConnecting(connection))).toEqual([true])
    for (const record of table.all()) table.save(record)
    engine.sessionUp('c1:s')
    engine.sessionUp('c1:s')
    await settled()
    expect(told).toEqual([true, false])
  })

  it('says why a session is down, until it is up again', async () => {
    const { engine, of, heard } = node({ c1: tunnel })
    engine.sessionDown('c1:s', 'no handshake has been answered yet')
    await settled()
    const why = 'no packet of this wire comes through to 192.0.2.2:51820 and back: no handshake has been answered yet'
    expect(of('c1')).toBe(why)
    engine.sessionUp('c1:s')
    await settled()
    expect([of('c1'), heard]).toEqual(['up', ['UPDATE c1 DOWN', 'UPDATE c1 UP']])
  })

  it('marks all wires over a link that is down, those that come later too, and no others', async () => {
    const foreign = wireguardEnd('server', { ...keys, peer: FAR })
    const elsewhere = { ...tunnel, peer: { ip: '192.0.2.3', port: 51_820 } }
    const { engine, of, want, table, heard, clock } = node({ c1: tunnel, c2: foreign, c3: elsewhere })
    for (const id of ['c1', 'c2', 'c3', 'c4']) engine.sessionUp(`${id}:s`)
    engine.emit({ at: 'link-quality-down', peer: FAR, reason: 'the remote node does not answer probes' })
    await clock.advance(300)
    await settled()
    const down = 'no packet comes through to 192.0.2.2:51820 and back'
    expect([of('c1'), of('c2'), of('c3')]).toEqual([down, 'up', 'up'])
    want('c4', tunnel)
    table.save(testRecord('c4'))
    await settled()
    expect([of('c4'), heard.at(-2), heard.at(-1)]).toEqual([down, 'UPDATE c4 UP', 'UPDATE c4 DOWN'])
    engine.emit({ at: 'link-quality-up', peer: FAR })
    await settled()
    expect(of('c1')).toBe('up')
  })

  it('takes the wires down over a link that stays broken, and back with it', async () => {
    const elsewhere = { ...tunnel, peer: { ip: '192.0.2.3', port: 51_820 } }
    const { table, engine, clock } = node({ c1: tunnel, c2: elsewhere })
    const states = () => ['c1', 'c2'].map((id) => table.get(id)?.connection.state)
    const down = { at: 'link-quality-down', peer: FAR, reason: 'no echo' } as const
    engine.emit(down)
    await clock.advance(299)
    expect(states()).toEqual(['UP', 'UP'])
    await clock.advance(1)
    expect(states()).toEqual(['DOWN', 'UP'])
    engine.emit({ at: 'link-quality-up', peer: FAR })
    await settled()
    expect(states()).toEqual(['UP', 'UP'])
    engine.emit(down)
    engine.emit({ at: 'link-quality-up', peer: FAR })
    await clock.advance(1_000)
    expect([states(), clock.pending]).toEqual([['UP', 'UP'], 0])
  })

  it('keeps what was said against a wire over a refresh, which does not mend it', async () => {
    const { engine, of, table } = node({ c1: tunnel })
    engine.sessionDown('c1:s', 'the far node does not know this wire')
    table.setFault('c1', 'refresh', 'the far end refuses it')
    await settled()
    expect(table.save(testRecord('c1')).connection.state).toBe('DOWN')
    expect(of('c1')).toMatch(/the far node does not know this wire$/)
    engine.sessionUp('c1:s')
    await settled()
    expect([of('c1'), table.get('c1')?.connection.state]).toEqual(['up', 'UP'])
  })

  it('takes a wire that leads elsewhere now for connecting, and forgets what was said of the way before', async () => {
    const { engine, of, want, table, clock } = node({ c1: tunnel })
    engine.sessionUp('c1:s')
    engine.emit({ at: 'link-quality-down', peer: FAR, reason: 'the remote node does not answer probes' })
    await clock.advance(300)
    table.setFault('c1', 'far end', 'the far end says that it is down')
    want('c1', { ...tunnel, peerResponderKey: 'of another node', peer: { ip: '192.0.2.3', port: 51_820 } })
    const target = { at: 'node', endpoint: 'other', url: 'tcp://192.0.2.3:5001', domain: 'east' } as const
    table.save(testRecord('c1', { target }))
    await settled()
    expect([of('c1'), table.get('c1')?.connection.state]).toEqual(['connecting', 'UP'])
  })

  it('takes a wire whose node has moved for up: its session is the same', async () => {
    const { engine, of, want, table } = node({ c1: tunnel })
    engine.sessionUp('c1:s')
    want('c1', { ...tunnel, peer: { ip: '192.0.2.3', port: 51_820 } })
    table.save(testRecord('c1'))
    await settled()
    expect(of('c1')).toBe('up')
  })

  it('hears of sessions before their connections are recorded, and forgets those that never are', async () => {
    const { engine, of, want, intents, table } = node({})
    for (const id of ['late', 'failed']) {
      want(id, tunnel)
      engine.sessionDown(`${id}:s`, 'no handshake has been answered yet')
    }
    await settled()
    table.save(testRecord('late'))
    intents.delete('failed')
    await settled()
    expect(of('late')).toMatch(/no handshake has been answered yet/)
    expect(table.get('late')?.connection.state).toBe('DOWN')
  })

  it('looks at everything when the dataplane is back', async () => {
    const { engine, of } = node({ c1: tunnel, c2: tunnel })
    engine.underlays.set('wireguard', { id: 'wireguard', kind: 'wireguard', listen: FAR })
    const { setPort } = fakeDataplane(engine)
    engine.isAnswered = false
    for (const id of ['c1', 'c2']) {
      const place = { id: `${id}:s`, payload: 'IP', mtuBytes: 1440, localPrefixes: [], remotePrefixes: [] } as const
      const key = Buffer.alloc(32, id).toString('base64')
      const port = { ...tunnel, ...place, privateKey: key, peerResponderKey: key, peerInitiatorKey: key }
      await setPort({ ...port, underlay: 'wireguard' }, AbortSignal.timeout(1_000))
    }
    engine.verdicts.set('c1:s', { verdict: 'up', reason: '' })
    engine.verdicts.set('c2:s', { verdict: 'down', reason: 'the peer has not answered for 15 s' })
    engine.reconnect()
    await settled()
    expect([of('c1'), of('c2')]).toEqual(['up', expect.stringMatching(/has not answered for 15 s$/)])
  })

  it('does not say of VXLAN what nobody can see, and takes links of the kernel for what they are', async () => {
    const { of } = node({ c1: plain, c2: { ...client, role: 'server' } })
    await settled()
    expect([of('c1'), of('c2')]).toEqual(['unconfirmed', 'up'])
  })
})
