/**
 * Root in a pod sends from addresses that its wire does not have, to a pod of the same node: no engine is on the way,
 * so the kernel of the receiver drops them. Needs root and nsm-dataplane.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import { Forwarder, intentMigrations } from '../../pkg/forwarding/index.ts'
import { localWire } from '../../pkg/forwarding/testing/fake-node.ts'
import { type End, workloadOf } from '../../pkg/mechanism/index.ts'
import { linuxPlatform } from '../../pkg/platform/index.ts'
import { type Database, openDatabase } from '../../pkg/store/index.ts'
import { missingForKernelTests } from '../lab/holder.ts'
import type { Host } from '../lab/host.ts'
import { type OneHolder, oneHolder } from '../lab/one-holder.ts'

const missing = missingForKernelTests()
const PACKETS = 5
/** The kernel looks for duplicates of a link-local address before it uses it. */
const DUPLICATES_MS = 2_000
/** The client reaches this network by a policy alone, from its IPv6 address. */
const BEHIND = '2001:db8:77::'
const POLICY = {
  from: 'fd00::/16',
  proto: '',
  dstPort: '',
  srcPort: '',
  routes: [{ prefix: `${BEHIND}/64`, nextHop: '' }],
}
const SEND_ECHO = fileURLToPath(new URL('send-echo.py', import.meta.url))

describe.skipIf(missing !== undefined)('a wire within a node', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-sources-'))
  let machine: OneHolder<'client' | 'server'>
  let database: Database
  let forwarder: Forwarder
  let addresses: readonly [client: string, server: string]
  let ipv6: readonly [client: string, server: string]

  beforeAll(async () => {
    machine = await oneHolder('client', 'server')
    const { rtnl, dataplane, workloads } = machine
    database = openDatabase(join(directory, 'wires.db'), { application: 'attack', migrations: intentMigrations })
    const parts = { platform: linuxPlatform(rtnl), dataplane, clock: systemClock, logger: silentLogger }
    forwarder = await Forwarder.open({ database, ...parts }, AbortSignal.timeout(10_000))
    const place = (end: End, { namespace }: Host) => ({ ...end, namespace })
    const wire = localWire('w1')
    const intent = {
      ...wire,
      client: { ...place(wire.client, workloads.client), policies: [POLICY] },
      server: place(wire.server, workloads.server),
    }
    await forwarder.establish(intent, AbortSignal.timeout(10_000))
    const addressOf = (end: End, at: number) => workloadOf(end)?.addresses[at]?.split('/')[0] ?? ''
    addresses = [addressOf(intent.client, 0), addressOf(intent.server, 0)]
    ipv6 = [addressOf(intent.client, 1), addressOf(intent.server, 1)]
    await sleep(DUPLICATES_MS)
  })
  afterAll(async () => {
    await forwarder?.close()
    database?.close()
    await machine?.close()
    rmSync(directory, { recursive: true })
  })

  /** How many of the echo requests from `source` arrive at the other end. */
  async function arriving(from: Host, to: Host, { source, target }: { source: string; target: string }) {
    const before = await echoes(to)
    await from.tryRun(['ping', '-c', `${PACKETS}`, '-i', '0.05', '-W', '0.2', '-I', source, target])
    return (await echoes(to)) - before
  }

  test('carries packets from its own addresses', async () => {
    const { client, server } = machine.workloads
    const [source, target] = addresses
    expect(await arriving(client, server, { source, target })).toBe(PACKETS)
    expect(await arriving(server, client, { source: target, target: source })).toBe(PACKETS)
  })

  test.each(['10.66.0.1', '10.0.0.9', '192.0.2.254'])('drops packets from %s in either direction', async (source) => {
    const { client, server } = machine.workloads
    const [own, other] = addresses
    const directions = [
      [client, server, other],
      [server, client, own],
    ] as const
    for (const [from, to, address] of directions) {
      await from.ip(`address add ${source}/32 dev lo`)
      const arrived = await arriving(from, to, { source, target: address })
      await from.ip(`address del ${source}/32 dev lo`)
      expect(arrived).toBe(0)
    }
  })

  /** How many whole frames of root in `from` arrive at the other end as echo requests. */
  async function framesArriving(from: Pod, to: Pod, { source, tags }: { source: string; tags: number }) {
    const before = await echoes(to.host)
    const { name } = await linkOf(from.host)
    const { mac } = await linkOf(to.host)
    await from.host.run(['python3', SEND_ECHO, name, mac, source, to.address, `${tags}`, `${PACKETS}`])
    await sleep(20)
    return (await echoes(to.host)) - before
  }

  function directions(): readonly (readonly [Pod, Pod])[] {
    const { client, server } = machine.workloads
    const [clientPod, serverPod] = [
      { host: client, address: ipv6[0] },
      { host: server, address: ipv6[1] },
    ]
    return [
      [clientPod, serverPod],
      [serverPod, clientPod],
    ]
  }

  test('carries IPv6 from its own addresses, and neighbour discovery', async () => {
    for (const [from, to] of directions()) {
      const { name } = await linkOf(from.host)
      await from.host.ip(`neigh flush dev ${name}`)
      expect(await arriving(from.host, to.host, { source: from.address, target: to.address })).toBe(PACKETS)
      const { linkLocal } = await linkOf(to.host)
      expect(await arriving(from.host, to.host, { source: name, target: `${linkLocal}%${name}` })).toBe(PACKETS)
    }
  })

  test('carries IPv6 from where only a policy leads', async () => {
    const { client, server } = machine.workloads
    await server.ip(`address add ${BEHIND}1/128 dev lo nodad`)
    expect(await arriving(server, client, { source: `${BEHIND}1`, target: ipv6[0] })).toBe(PACKETS)
    await server.ip(`address del ${BEHIND}1/128 dev lo`)
  })

  test.each(['fd00::10.66.0.1', '2001:db8::9', 'fd00::'])(
    'drops packets from %s in either direction',
    async (source) => {
      for (const [from, to] of directions()) {
        await from.host.ip(`address add ${source}/128 dev lo nodad`)
        const arrived = await arriving(from.host, to.host, { source, target: to.address })
        await from.host.ip(`address del ${source}/128 dev lo`)
        expect(arrived).toBe(0)
      }
    },
  )

  test.each([0, 1, 2])('drops frames of root from another IPv6 source, with %i VLAN tags', async (tags) => {
    for (const [from, to] of directions()) {
      expect(await framesArriving(from, to, { source: from.address, tags })).toBe(PACKETS)
      expect(await framesArriving(from, to, { source: '2001:db8::9', tags })).toBe(0)
      expect(await framesArriving(from, to, { source: to.address, tags })).toBe(0)
      expect(await framesArriving(from, to, { source: '::ffff:192.0.2.1', tags })).toBe(0)
    }
  })

  test('an IPv6 address of a pod that is not of the wire is not reached from other sources either', async () => {
    const other = '2001:db8:5::1'
    for (const [from, to] of directions()) {
      await to.host.ip(`address add ${other}/128 dev lo nodad`)
      const arrived = await framesArriving(from, { ...to, address: other }, { source: '2001:db8::9', tags: 0 })
      await to.host.ip(`address del ${other}/128 dev lo`)
      expect(arrived).toBe(0)
    }
  })
})

interface Pod {
  readonly host: Host
  readonly address: string
}

/** The only link of a workload, which is that of the wire. */
async function linkOf(host: Host): Promise<{ name: string; mac: string; linkLocal: string }> {
  const [name = ''] = await host.linkNames()
  const show = ['ip', '-json', 'address', 'show', 'dev', name]
  const [link] = JSON.parse(await host.run(show)) as readonly ShownLink[]
  const linkLocal = link?.addr_info.find(({ scope }) => scope === 'link')?.local ?? ''
  return { name, mac: link?.address ?? '', linkLocal }
}

interface ShownLink {
  readonly address: string
  readonly addr_info: readonly { readonly scope: string; readonly local: string }[]
}

/** Of IPv4 and IPv6. */
async function echoes(host: Host): Promise<number> {
  const ipv6 = /^Icmp6InEchos\s+(\d+)$/m.exec(await host.run(['cat', '/proc/net/snmp6']))?.[1]
  const [names = '', values = ''] = (await host.run(['grep', '^Icmp:', '/proc/net/snmp'])).trim().split('\n')
  return Number(values.split(' ')[names.split(' ').indexOf('InEchos')]) + Number(ipv6)
}

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
