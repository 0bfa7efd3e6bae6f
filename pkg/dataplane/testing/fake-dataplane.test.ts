import { expect, test } from 'vitest'
import { errorCode } from '../../base/index.ts'
import { conformance } from './conformance.ts'
import { FakeEngine, fakeDataplane } from './index.ts'

const signal = AbortSignal.timeout(60_000)
const namespace = 'inode://4/101'
const tun = { id: 'one:c', kind: 'tun', namespace, interfaceName: 'nsm-1' } as const

/** The names in one namespace, as much of a kernel as the suite needs. */
class Names {
  readonly taken = new Set<string>()

  addDevice(where: string, name: string): number {
    if (where !== namespace) throw Object.assign(new Error('no such namespace'), { code: 'not_found' })
    if (this.taken.has(name)) throw Object.assign(new Error('taken'), { code: 'already_exists' })
    this.taken.add(name)
    return this.taken.size
  }

  removeDevice(_where: string, name: string): void {
    this.taken.delete(name)
  }
}

conformance('the fake', async () => {
  const names = new Names()
  const engine = new FakeEngine(names)
  return {
    dataplane: fakeDataplane(engine),
    namespace,
    linkNames: async () => [...names.taken],
    addBystander: async (name) => void names.taken.add(name),
    killEngine: async () => engine.killEngine(),
    close: async () => {},
  }
})

test('the fake notes its writes, and not those that failed', async () => {
  const engine = new FakeEngine()
  const { setPort, removePort } = fakeDataplane(engine)
  await setPort(tun, signal)
  engine.intercept = async () => {
    throw new Error('no memory')
  }
  await expect(removePort('one:c', signal)).rejects.toThrow('no memory')
  expect(engine.transcript).toEqual(['port set one:c tun'])
})

test('the fake that is away refuses everything with unavailable and says so in events', async () => {
  const engine = new FakeEngine()
  const dataplane = fakeDataplane(engine)
  const events: string[] = []
  dataplane.subscribe(({ at }) => events.push(at))
  engine.disconnect()
  for (const attempt of [
    dataplane.ports(signal),
    dataplane.setPort(tun, signal),
    dataplane.removePort('one:c', signal),
  ]) {
    expect(await attempt.catch(errorCode)).toBe('unavailable')
  }
  engine.reconnect()
  expect(await dataplane.ports(signal)).toEqual(new Map())
  expect(events).toEqual(['disconnected', 'connected'])
})
