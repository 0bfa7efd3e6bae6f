/** A restart finds all in order and writes nothing; a wire that fails is alone with it; what others break comes back. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeError, NsmError } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import type { Forwarder } from '../../pkg/forwarding/index.ts'
import {
  CLIENT_NS,
  FakeNode,
  localWire,
  remoteWire,
  SERVER_NS,
  vxlanWire,
} from '../../pkg/forwarding/testing/fake-node.ts'
import { converge, expectWorldOfIntents, finish, succeed } from './drive.ts'

const never = new AbortController().signal
/** What a workload may have to wait for an interface that somebody took away. */
const RESTORE_MS = 500

let clock: FakeClock
let node: FakeNode
let forwarder: Forwarder
beforeEach(async () => {
  clock = new FakeClock()
  node = new FakeNode(clock)
  forwarder = await succeed(clock, node.start())
})
afterEach(async () => {
  await succeed(clock, forwarder.close())
  expect(clock.pending).toBe(0)
  node.close()
})

async function restart(): Promise<void> {
  await succeed(clock, forwarder.close())
  forwarder = await succeed(clock, node.start())
}

describe('restart', () => {
  test('with 500 standing wires writes nothing', async () => {
    const wires = Array.from({ length: 500 }, (_, n) => [localWire, remoteWire][n % 2]?.(`w${n}`) ?? localWire(`w${n}`))
    for (const wire of wires) await succeed(clock, forwarder.establish(wire, never))
    const written = node.transcript.length
    await restart()
    expect(forwarder.intents()).toEqual(wires)
    expect(wires.filter(({ id }) => forwarder.status(id)?.at !== 'settled')).toEqual([])
    expect(forwarder.writes).toBe(0)
    expect(node.transcript).toHaveLength(written)
  }, 60_000)

  test('makes what was lost meanwhile, and removes what is left of wires that are gone', async () => {
    await succeed(clock, forwarder.establish(localWire('w1'), never))
    await succeed(clock, forwarder.establish(remoteWire('w2'), never))
    await succeed(clock, forwarder.close())
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    node.engine.crossConnects.clear()
    node.kernel.addDevice(SERVER_NS, 's-w9', 'veth')
    Object.assign(node.kernel.namespace(SERVER_NS).link('s-w9'), { alias: 'nsm:w9' })
    forwarder = await succeed(clock, node.start())
    await expectWorldOfIntents(node, forwarder)
  })

  test('waits for a dataplane that is away', async () => {
    await succeed(clock, forwarder.establish(remoteWire('w1'), never))
    await succeed(clock, forwarder.close())
    node.engine.disconnect()
    const starting = node.start()
    await clock.advance(20_000)
    node.engine.reconnect()
    forwarder = await succeed(clock, starting)
    await expectWorldOfIntents(node, forwarder)
  })

  test('gives up waiting when told to', async () => {
    await succeed(clock, forwarder.close())
    node.engine.disconnect()
    const caller = new AbortController()
    const starting = node.start(caller.signal)
    clock.after(3000, () => caller.abort())
    expect(await finish(clock, starting)).toMatchObject({ error: { name: 'AbortError' } })
    node.engine.reconnect()
    forwarder = await succeed(clock, node.start())
  })
})

describe('repair', () => {
  test.each([
    ['the client end of a veth pair is deleted', () => node.kernel.removeDevice(CLIENT_NS, 'c-w1')],
    ['the endpoint end of a veth pair is deleted', () => node.kernel.removeDevice(SERVER_NS, 's-w1')],
    ['an end of a veth pair is set down', () => node.kernel.setDown(SERVER_NS, 's-w1')],
    ['a TUN device is deleted', () => node.kernel.removeDevice(CLIENT_NS, 'c-w2')],
    ['a TUN device is set down', () => node.kernel.setDown(CLIENT_NS, 'c-w2')],
    ['a TAP device is renamed', () => rename('s-w3', 'mine')],
    ['an end of a veth pair is renamed', () => rename('s-w1', 'mine')],
  ])('within half a second when %s', async (_, breakIt) => {
    for (const wire of [localWire('w1'), remoteWire('w2'), vxlanWire('w3')]) {
      await succeed(clock, forwarder.establish(wire, never))
    }
    await clock.advance(1000)
    breakIt()
    await clock.advance(RESTORE_MS)
    await expectWorldOfIntents(node, forwarder)
  })

  test('when the dataplane comes back without its objects', async () => {
    await succeed(clock, forwarder.establish(remoteWire('w1'), never))
    node.engine.disconnect()
    node.engine.crossConnects.clear()
    node.engine.ports.clear()
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    await clock.advance(5000)
    node.engine.reconnect()
    await converge(clock, forwarder, ['w1'])
    await expectWorldOfIntents(node, forwarder)
  })

  test('never marks a stranger that took the name of a lost device', async () => {
    await succeed(clock, forwarder.establish(remoteWire('w1'), never))
    await clock.advance(1000)
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    node.kernel.addDevice(CLIENT_NS, 'c-w1', 'dummy')
    await clock.advance(5000)
    expect(forwarder.status('w1')).toMatchObject({ at: 'failed', error: { code: 'already_exists' } })
    expect(node.kernel.namespace(CLIENT_NS).link('c-w1')).toMatchObject({ kind: 'dummy', alias: '', isUp: false })
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    await converge(clock, forwarder, ['w1'])
    await expectWorldOfIntents(node, forwarder)
  })

  function rename(from: string, to: string): void {
    const namespace = node.kernel.namespace(SERVER_NS)
    const link = namespace.link(from)
    namespace.links.delete(from)
    namespace.links.set(to, Object.assign(link, { name: to }))
    namespace.addresses = namespace.addresses.map((spec) => (spec.link === from ? { ...spec, link: to } : spec))
    namespace.routes = namespace.routes.map((spec) => (spec.link === from ? { ...spec, link: to } : spec))
    node.kernel.changed(SERVER_NS)
  }
})

describe('one wire that fails', () => {
  test.each([
    ['veth', 'c-w1', localWire('w1')],
    ['veth, at the far end', 's-w1', localWire('w1')],
    ['tunnel', 'c-w1', remoteWire('w1')],
  ])('because its name is taken (%s) leaves nothing behind and says which', async (_, name, wire) => {
    const namespace = name.startsWith('c') ? CLIENT_NS : SERVER_NS
    node.kernel.addDevice(namespace, name, 'dummy')
    const before = node.world()
    const outcome = await finish(clock, forwarder.establish(wire, never))
    expect(outcome).toMatchObject({ error: { code: 'already_exists' } })
    expect('error' in outcome && describeError(outcome.error)).toContain(`link=${name}`)
    expect(forwarder.intents()).toEqual([])
    expect(node.world()).toEqual(before)
  })

  test('does not stop another, and settles when the cause is gone', async () => {
    node.inject(async ({ command }, effect) => {
      if (/w1\b/.test(command)) throw new NsmError('internal', 'injected')
      effect()
    })
    const broken = finish(clock, forwarder.establish(localWire('w1'), never))
    await succeed(clock, forwarder.establish(localWire('w2'), never))
    expect(await broken).toMatchObject({
      error: { code: 'internal', fields: { kind: 'pin', key: 'w1:c inode://4/1001' } },
    })
    node.heal()
    await converge(clock, forwarder, ['w1', 'w2'])
    await expectWorldOfIntents(node, forwarder)
  })

  test('does not stop another at a restart', async () => {
    for (const id of ['w1', 'w2']) await succeed(clock, forwarder.establish(localWire(id), never))
    await succeed(clock, forwarder.close())
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    node.kernel.removeDevice(CLIENT_NS, 'c-w2')
    node.inject(async ({ command, isWrite }, effect) => {
      if (isWrite && /w1\b/.test(command)) throw new NsmError('internal', 'injected')
      effect()
    })
    forwarder = await succeed(clock, node.start())
    expect(forwarder.status('w1')).toMatchObject({ at: 'failed' })
    expect(forwarder.status('w2')).toEqual({ at: 'settled' })
    node.heal()
    await converge(clock, forwarder, ['w1', 'w2'])
    await expectWorldOfIntents(node, forwarder)
  })

  test('is tried again less and less often', async () => {
    await succeed(clock, forwarder.establish(localWire('w1'), never))
    await clock.advance(1000)
    let tries = 0
    node.inject(async ({ command, isWrite }, effect) => {
      if (isWrite && command.includes('link add c-w1')) {
        tries += 1
        throw new NsmError('internal', 'injected')
      }
      effect()
    })
    node.kernel.removeDevice(CLIENT_NS, 'c-w1')
    await clock.advance(60_000)
    expect(tries).toBeGreaterThan(5)
    expect(tries).toBeLessThan(20)
  })
})
