/** What every implementation of the dataplane's door must do, as one suite for the fake and for holder and engine. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NsmError } from '../../base/index.ts'
import {
  type DevicePortSpec,
  generateKey,
  type PortSpec,
  type UnderlaySpec,
  type WireguardPortSpec,
} from '../../mechanism/index.ts'
import { wireguardPort } from '../../mechanism/testing/index.ts'
import type { Dataplane } from '../door.ts'

export interface World {
  readonly dataplane: Dataplane
  /** A workload's namespace, empty. */
  readonly namespace: string
  linkNames(): Promise<readonly string[]>
  /** A link that is not the dataplane's. */
  addBystander(name: string): Promise<void>
  killEngine(): Promise<void>
  close(): Promise<void>
}

const signal = AbortSignal.timeout(120_000)
const [node, near, peer, another] = [generateKey(), generateKey(), generateKey(), generateKey()]
const crossConnect = { id: 'one', ports: ['one:c', 'one:s'] } as const

const underlays: readonly UnderlaySpec[] = [
  { id: 'wireguard', kind: 'wireguard', listen: { ip: '127.0.0.1', port: 51_820 }, privateKey: node.privateKey },
  { id: 'vxlan', kind: 'vxlan', listen: { ip: '127.0.0.1', port: 4789 } },
]

const remote = wireguardPort({
  id: 'one:s',
  underlay: 'wireguard',
  privateKey: near.privateKey,
  peerResponderKey: peer.publicKey,
  peerInitiatorKey: peer.publicKey,
  peer: { ip: '127.0.0.1', port: 51_821 },
  localPrefixes: ['172.16.1.101/32', '2001:db8::/64'],
  remotePrefixes: ['172.16.1.100/32'],
  mtuBytes: 1420,
  keepaliveSeconds: 25,
  probeMessages: true,
})

const frames: WireguardPortSpec = {
  ...remote,
  id: 'three:s',
  peerResponderKey: another.publicKey,
  peerInitiatorKey: another.publicKey,
  payload: 'ETHERNET',
  localPrefixes: [],
  remotePrefixes: [],
}

const plain: PortSpec & { readonly kind: 'vxlan' } = {
  id: 'two:s',
  kind: 'vxlan',
  underlay: 'vxlan',
  vni: 7,
  peer: { ip: '127.0.0.2', port: 4789 },
  mtuBytes: 1446,
}

export function conformance(implementation: string, makeWorld: () => Promise<World>): void {
  describe(`the dataplane’s door to ${implementation}`, () => {
    let world: World
    beforeAll(async () => {
      world = await makeWorld()
    })
    afterAll(() => world.close())
    standing(() => world)
    refusals(() => world)
    removal(() => world)
  })
}

function device(world: World, id = 'one:c', interfaceName = 'nsm-1'): DevicePortSpec {
  return { id, kind: 'tun', namespace: world.namespace, interfaceName }
}

function standing(world: () => World): void {
  test('what is set is listed as it was set; twice is once', async () => {
    const { dataplane } = world()
    for (let times = 0; times < 2; times++) {
      for (const underlay of underlays) await dataplane.setUnderlay(underlay, signal)
      for (const port of [device(world()), remote, plain]) await dataplane.setPort(port, signal)
      await dataplane.setCrossConnect(crossConnect, signal)
    }
    const { privateKey: _, ...said } = remote
    const ports = await dataplane.ports(signal)
    expect([...ports.keys()].sort()).toEqual(['one:c', 'one:s', 'two:s'])
    expect(ports.get('one:c')).toMatchObject({ ...device(world()), ifindex: expect.any(Number) })
    expect(ports.get('one:s')).toMatchObject({ ...said, publicKey: near.publicKey })
    expect(ports.get('two:s')).toEqual(plain)
    expect(await dataplane.crossConnects(signal)).toEqual(new Map([['one', crossConnect]]))
    expect(await world().linkNames()).toEqual(['nsm-1'])
  })

  test('what may change is changed in place', async () => {
    const { dataplane } = world()
    const changed = { mtuBytes: 1380, remotePrefixes: ['10.0.0.0/8'], keepaliveSeconds: 0 }
    await dataplane.setPort({ ...remote, ...changed }, signal)
    expect((await dataplane.ports(signal)).get('one:s')).toMatchObject(changed)
    expect(await dataplane.crossConnects(signal)).toEqual(new Map([['one', crossConnect]]))
    await dataplane.setPort(remote, signal)
  })

  test('an underlay moves to another port and address, with the ports that use it', async () => {
    const { dataplane } = world()
    const [before] = underlays
    if (before === undefined) throw new Error('there is no underlay')
    for (const listen of [{ ip: '127.0.0.1', port: 51_830 }, { ip: '0.0.0.0', port: 51_830 }, before.listen]) {
      await dataplane.setUnderlay({ ...before, listen }, signal)
      expect([...(await dataplane.ports(signal)).keys()].sort()).toEqual(['one:c', 'one:s', 'two:s'])
      expect(await dataplane.crossConnects(signal)).toEqual(new Map([['one', crossConnect]]))
    }
  })

  test('an engine that dies comes back with the same objects and interfaces', async () => {
    const { dataplane } = world()
    const { engineRestarts } = await dataplane.status(signal)
    const events: string[] = []
    const stop = dataplane.subscribe(({ at }) => events.push(at))
    const before = (await dataplane.ports(signal)).get('one:c')
    await world().killEngine()
    await expect.poll(() => events, { timeout: 5000 }).toEqual(['engine-died', 'engine-started'])
    stop()
    expect((await dataplane.status(signal)).engineRestarts).toBe(engineRestarts + 1)
    expect(await dataplane.crossConnects(signal)).toEqual(new Map([['one', crossConnect]]))
    expect((await dataplane.ports(signal)).get('one:c')).toEqual(before)
    expect(await world().linkNames()).toEqual(['nsm-1'])
  })
}

function refusals(world: () => World): void {
  const refused = async (attempt: Promise<void>, code: NsmError['code']) =>
    await expect(attempt).rejects.toEqual(expect.objectContaining({ code }))

  test('an object needs those that it names', async () => {
    const { dataplane } = world()
    await refused(dataplane.setPort({ ...remote, id: 'three:s', underlay: 'none' }, signal), 'not_found')
    await refused(
      dataplane.setPort({ ...device(world(), 'three:c'), namespace: 'inode://4/4242' }, signal),
      'not_found',
    )
    await refused(dataplane.setCrossConnect({ id: 'three', ports: ['three:c', 'three:s'] }, signal), 'not_found')
    await refused(dataplane.rehandshake('three:s', signal), 'not_found')
  })

  test('a cross-connect joins tun to wireguard or tap to vxlan, and a port to nothing else', async () => {
    const { dataplane } = world()
    await dataplane.setPort(device(world(), 'three:c', 'nsm-3'), signal)
    await refused(dataplane.setCrossConnect({ id: 'three', ports: ['three:c', 'two:s'] }, signal), 'unimplemented')
    await refused(
      dataplane.setCrossConnect({ id: 'three', ports: ['three:c', 'one:s'] }, signal),
      'failed_precondition',
    )
    await dataplane.removePort('three:c', signal)
  })

  test('a cross-connect joins tap to a wireguard port of frames alone', async () => {
    const { dataplane } = world()
    const ports = ['three:c', 'three:s'] as const
    await dataplane.setPort({ ...device(world(), 'three:c', 'nsm-3'), kind: 'tap' }, signal)
    await dataplane.setPort({ ...frames, payload: 'IP' }, signal)
    await refused(dataplane.setCrossConnect({ id: 'three', ports }, signal), 'unimplemented')
    await dataplane.setPort(frames, signal)
    await dataplane.setCrossConnect({ id: 'three', ports }, signal)
    expect((await dataplane.ports(signal)).get('three:s')).toMatchObject({ payload: 'ETHERNET' })
    await dataplane.removeCrossConnect('three', signal)
    for (const id of ports) await dataplane.removePort(id, signal)
  })

  test('names, keys and numbers that are taken are refused', async () => {
    const { dataplane } = world()
    await world().addBystander('eth7')
    await refused(dataplane.setPort(device(world(), 'three:c', 'eth7'), signal), 'already_exists')
    await refused(dataplane.setPort(device(world(), 'one:c', 'nsm-9'), signal), 'already_exists')
    await refused(dataplane.setPort({ ...remote, id: 'three:s' }, signal), 'already_exists')
    await refused(dataplane.setPort({ ...plain, id: 'three:s' }, signal), 'already_exists')
    expect([...(await dataplane.ports(signal)).keys()].sort()).toEqual(['one:c', 'one:s', 'two:s'])
  })

  test('what no dataplane takes is refused before it is sent', async () => {
    const { dataplane } = world()
    for (const vni of [0, 2 ** 24]) await refused(dataplane.setPort({ ...plain, vni }, signal), 'invalid_argument')
    await refused(
      dataplane.setPort({ ...remote, privateKey: Buffer.alloc(31, 1).toString('base64') }, signal),
      'invalid_argument',
    )
    await refused(dataplane.setPort({ ...remote, payload: 'ETHERNET' }, signal), 'invalid_argument')
    await refused(dataplane.setCrossConnect({ id: 'three', ports: ['one:c', 'one:c'] }, signal), 'invalid_argument')
    for (const id of ['', 'a b', 'x'.repeat(65), 'ä'])
      await refused(dataplane.removePort(id, signal), 'invalid_argument')
  })
}

function removal(world: () => World): void {
  test('what is removed is gone, interface included; twice is once', async () => {
    const { dataplane } = world()
    for (let times = 0; times < 2; times++) {
      await dataplane.removeCrossConnect('one', signal)
      for (const id of ['one:c', 'one:s', 'two:s']) await dataplane.removePort(id, signal)
    }
    expect(await dataplane.ports(signal)).toEqual(new Map())
    expect(await dataplane.crossConnects(signal)).toEqual(new Map())
    await expect.poll(() => world().linkNames()).toEqual(['eth7'])
  })
}
