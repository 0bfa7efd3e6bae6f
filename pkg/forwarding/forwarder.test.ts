import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import type { Forwarder } from './index.ts'
import { CLIENT_NS, FakeNode, localWire, remoteWire } from './testing/fake-node.ts'

const soon = () => AbortSignal.timeout(5000)

let node: FakeNode
let forwarder: Forwarder
beforeEach(async () => {
  node = new FakeNode()
  forwarder = await node.start()
})
afterEach(async () => {
  await forwarder.close()
  node.close()
})

describe('Forwarder', () => {
  test('makes a local wire of one veth pair', async () => {
    await forwarder.establish(localWire('a'), soon())
    expect(node.transcript).toMatchInlineSnapshot(`
      [
        "ip netns attach a:c inode://4/1001",
        "ip netns attach a:s inode://4/1002",
        "ip -n inode://4/1001 link add c-a alias nsm:a mtu 9000 up type veth peer s-a netns inode://4/1002",
        "ip -n inode://4/1002 link set s-a alias nsm:a mtu 9000 up",
        "ip -n inode://4/1001 addr add 10.0.0.1/32 dev c-a nodad",
        "ip -n inode://4/1001 addr add fd00::a00:1/128 dev c-a nodad",
        "ip -n inode://4/1002 addr add 10.0.0.2/32 dev s-a nodad",
        "ip -n inode://4/1002 addr add fd00::a00:2/128 dev s-a nodad",
        "ip -n inode://4/1001 route add 10.0.0.2/32 dev c-a scope link table 254 proto 147",
        "ip -n inode://4/1001 -6 route add fd00::a00:2/128 dev c-a scope link table 254 proto 147",
        "ip -n inode://4/1002 route add 10.0.0.1/32 dev s-a scope link table 254 proto 147",
        "ip -n inode://4/1002 -6 route add fd00::a00:1/128 dev s-a scope link table 254 proto 147",
      ]
    `)
    expect(forwarder.status('a')).toEqual({ at: 'settled' })
  })

  test('makes a remote wire of a device and a tunnel', async () => {
    await forwarder.establish(remoteWire('a'), soon())
    expect(node.transcript).toMatchInlineSnapshot(`
      [
        "ip netns attach a:c inode://4/1001",
        "ip -n inode://4/1001 link set c-a alias nsm:a mtu 1440 up",
        "ip -n inode://4/1001 addr add 10.0.0.1/32 dev c-a nodad",
        "ip -n inode://4/1001 route add 10.0.0.2/32 dev c-a scope link table 254 proto 147",
        "ip -n inode://4/1001 route add 0.0.0.0/0 dev c-a scope link table 1 proto 147",
        "ip -n inode://4/1001 route add 11.0.0.0/24 via 10.0.0.2 dev c-a onlink table 254 proto 147",
        "ip -n inode://4/1001 rule add from 10.0.0.1/32 ipproto tcp dport 80 priority 32000 table 1 protocol 147",
        "port set a:c tun",
        "port set a:s wireguard",
        "cross-connect set a a:c a:s",
      ]
    `)
  })

  test('asks the engine for new handshakes on every tunnel of a wire', async () => {
    await forwarder.establish(remoteWire('a'), soon())
    await forwarder.rehandshake('a', soon())
    expect(node.engine.rehandshakes).toEqual(['a:s'])
    await expect(forwarder.rehandshake('nobody', soon())).rejects.toMatchObject({ code: 'not_found' })
  })

  test('does the same twice without a write', async () => {
    await forwarder.establish(localWire('a'), soon())
    const { writes } = forwarder
    await forwarder.establish(localWire('a'), soon())
    expect(forwarder.writes).toBe(writes)
    expect(forwarder.intents()).toEqual([localWire('a')])
  })

  test('leaves what a workload has put on its wire, and restores what it took off', async () => {
    await forwarder.establish(localWire('a'), soon())
    const space = node.kernel.namespace(CLIENT_NS)
    const before = space.addresses.length
    const own = { namespace: CLIENT_NS, link: 'c-a', address: '10.99.0.1/24', isForeign: true } as const
    space.addresses.push(own)
    space.addresses = space.addresses.filter(({ address }) => address !== '10.0.0.1/32')
    node.kernel.changed(CLIENT_NS)
    await expect.poll(() => space.addresses.length).toBe(before + 1)
    expect(space.addresses).toContainEqual(own)
    await forwarder.close()
    forwarder = await node.start()
    expect(space.addresses).toContainEqual(own)
  })

  test('removes a wire wholly, and does not mind one that it does not know', async () => {
    const before = node.world()
    await forwarder.establish(remoteWire('a'), soon())
    await forwarder.remove('a', soon())
    await forwarder.remove('nobody', soon())
    expect(node.world()).toEqual(before)
    expect(forwarder.intents()).toEqual([])
    expect(forwarder.status('a')).toBeUndefined()
  })

  test.each([
    ['id', localWire('a/b')],
    ['id', localWire('x'.repeat(63))],
    ['interface name', localWire('name-that-is-too-long')],
  ])('refuses a bad %s before anything is made', async (_, wire) => {
    await expect(forwarder.establish(wire, soon())).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(forwarder.intents()).toEqual([])
    expect(node.transcript).toEqual([])
  })

  test('refuses a namespace that no client shows', async () => {
    const wire = localWire('a')
    const elsewhere = { ...wire, client: { ...wire.client, namespace: 'inode://4/999' } } as typeof wire
    await expect(forwarder.establish(elsewhere, soon())).rejects.toMatchObject({ code: 'not_found' })
    expect(forwarder.intents()).toEqual([])
  })

  test('has the intent on disk before the first effect, and off it before the first removal', async () => {
    const seen: unknown[] = []
    node.inject(async ({ isWrite }, effect) => {
      if (isWrite) seen.push(node.stored())
      effect()
    })
    await forwarder.establish(localWire('a'), soon())
    expect(new Set(seen)).toEqual(new Set(['a']))
    seen.length = 0
    await forwarder.remove('a', soon())
    expect(seen.length).toBeGreaterThan(0)
    expect(new Set(seen)).toEqual(new Set(['']))
  })

  test('gives the routing table of a wire away only when everything of it is gone', async () => {
    await forwarder.establish(remoteWire('w1'), soon())
    node.inject(async ({ command }, effect) => {
      if (command.includes('rule del')) throw new NsmError('internal', 'injected')
      effect()
    })
    await expect(forwarder.remove('w1', soon())).rejects.toMatchObject({ code: 'internal' })
    await forwarder.establish(remoteWire('w2'), soon())
    node.heal()
    await forwarder.remove('w1', soon())
    await forwarder.establish(remoteWire('w3'), soon())
    expect(node.kernel.namespace(CLIENT_NS).rules.map(({ from, table }) => `${from} ${table}`)).toEqual([
      '10.0.2.1/32 2',
      '10.0.3.1/32 1',
    ])
  })
})
