import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataplaneEvent, DevicePortSpec, UnderlaySpec, WireguardPortSpec } from '../../pkg/dataplane/index.ts'
import { missingForKernelTests, NetnsLab } from './lab.ts'

const missing = missingForKernelTests()
const signal = AbortSignal.timeout(120_000)

interface KeyPair {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

function makeKeys(): KeyPair {
  const pair = generateKeyPairSync('x25519')
  const raw = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'))
  const { d, x } = pair.privateKey.export({ format: 'jwk' })
  return { privateKey: raw(d), publicKey: raw(x) }
}

describe.skipIf(missing !== undefined)('the dataplane’s door through the real holder and engine', () => {
  let lab: NetnsLab
  let namespace: string
  let daemon: Awaited<ReturnType<NetnsLab['connectDaemon']>>
  const node = makeKeys()
  const [wireKeys, peer] = [makeKeys(), makeKeys()]
  const underlay: UnderlaySpec = {
    id: 'wireguard',
    kind: 'wireguard',
    listen: { ip: '127.0.0.1', port: 51_820 },
    privateKey: node.privateKey,
  }
  const device = (): DevicePortSpec => ({ id: 'one:c', kind: 'tun', namespace, interfaceName: 'nsm-1' })
  const remote: WireguardPortSpec = {
    id: 'one:s',
    kind: 'wireguard',
    underlay: 'wireguard',
    privateKey: wireKeys.privateKey,
    peerResponderKey: peer.publicKey,
    peerInitiatorKey: peer.publicKey,
    peerEndpoint: { ip: '127.0.0.1', port: 51_821 },
    aead: 'chacha20poly1305',
    roaming: false,
    localPrefixes: ['172.16.1.101/32', '2001:db8::/64'],
    remotePrefixes: ['172.16.1.100/32'],
    mtuBytes: 1420,
    keepaliveSeconds: 25,
  }
  const wire = { id: 'one', ports: ['one:c', 'one:s'] } as const

  beforeAll(async () => {
    lab = await NetnsLab.open('wires')
    namespace = lab.addNamespace('a')
    lab.ip('node', 'link', 'set', 'lo', 'up')
    daemon = await lab.connectDaemon()
    await lab.connectClient('a')
  })
  afterAll(() => lab?.close())

  test('status says which engine runs and what it can', async () => {
    const status = await daemon.dataplane.status(signal)
    expect(status.version).not.toBe('')
    expect(status.enginePid).toBeGreaterThan(0)
    expect([...status.features.keys()]).toContain('tun_uso')
  })

  test('what is set is listed as it was set; twice is once', async () => {
    const { dataplane } = daemon
    for (let times = 0; times < 2; times++) {
      await dataplane.setUnderlay(underlay, signal)
      await dataplane.setPort(device(), signal)
      await dataplane.setPort(remote, signal)
      await dataplane.setWire(wire, signal)
    }
    const { privateKey: _, ...said } = remote
    const ports = await dataplane.ports(signal)
    expect([...ports.keys()].sort()).toEqual(['one:c', 'one:s'])
    expect(ports.get('one:c')).toMatchObject({ ...device(), ifindex: expect.any(Number) })
    expect(ports.get('one:s')).toMatchObject({ ...said, publicKey: wireKeys.publicKey })
    expect(await dataplane.wires(signal)).toEqual(new Map([['one', wire]]))
  })

  test('another daemon on the same holder sees the same', async () => {
    const other = await lab.connectDaemon()
    expect(await other.dataplane.wires(signal)).toEqual(new Map([['one', wire]]))
    await other.client.close()
  })

  test('counters are there for the holder, the engine and each port', async () => {
    const counters = await daemon.dataplane.counters(signal)
    expect([...counters.keys()].sort()).toEqual(['engine', 'holder', 'one:c', 'one:s'])
  })

  test('a name that is taken is refused with the holder’s sentence', async () => {
    lab.ip('a', 'link', 'add', 'eth7', 'type', 'bridge')
    const attempt = daemon.dataplane.setPort({ ...device(), id: 'two:c', interfaceName: 'eth7' }, signal)
    await expect(attempt).rejects.toMatchObject({ code: 'already_exists', fields: { errno: 'EEXIST' } })
    expect([...(await daemon.dataplane.ports(signal)).keys()]).not.toContain('two:c')
  })

  test('an engine that dies is back with the same objects and interface', async () => {
    const { dataplane } = daemon
    const index = /^(\d+):/.exec(lab.ip('a', '-o', 'link', 'show', 'nsm-1'))?.[1]
    const { enginePid, engineRestarts } = await dataplane.status(signal)
    const events: DataplaneEvent[] = []
    const stop = dataplane.subscribe((event) => events.push(event))
    process.kill(enginePid, 'SIGKILL')
    await expect.poll(() => events.map(({ at }) => at), { timeout: 5000 }).toEqual(['engine-died', 'engine-started'])
    stop()
    expect((await dataplane.status(signal)).engineRestarts).toBe(engineRestarts + 1)
    expect(await dataplane.wires(signal)).toEqual(new Map([['one', wire]]))
    expect(/^(\d+):/.exec(lab.ip('a', '-o', 'link', 'show', 'nsm-1'))?.[1]).toBe(index)
  })

  test('what is removed is gone, interface included; twice is once', async () => {
    const { dataplane } = daemon
    for (let times = 0; times < 2; times++) {
      await dataplane.removeWire('one', signal)
      await dataplane.removePort('one:c', signal)
      await dataplane.removePort('one:s', signal)
    }
    expect(await dataplane.ports(signal)).toEqual(new Map())
    expect(await dataplane.wires(signal)).toEqual(new Map())
    await expect.poll(() => lab.ip('a', '-o', 'link')).not.toContain('nsm-1')
  })

  test('a client that leaves is told of', async () => {
    const client = await lab.connectClient('a')
    expect(client).toMatchObject({ listener: 'nsm', uid: 0, namespace })
    const gone = new Promise((resolve) =>
      daemon.dataplane.subscribe((event) => event.at === 'client-gone' && resolve(event)),
    )
    client.leave()
    expect(await gone).toEqual({ at: 'client-gone', connectionId: client.connectionId })
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
