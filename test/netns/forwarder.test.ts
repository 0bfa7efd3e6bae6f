/** The forwarder on the real kernel and the real dataplane: what the fakes promise, seen with `ip`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import { Forwarder, intentMigrations } from '../../pkg/forwarding/index.ts'
import { localWire, remoteWire, vxlanWire } from '../../pkg/forwarding/testing/fake-node.ts'
import { type End, type WireIntent, workloadOf } from '../../pkg/mechanism/index.ts'
import { linuxPlatform } from '../../pkg/platform/index.ts'
import { type Database, openDatabase } from '../../pkg/store/index.ts'
import { missingForKernelTests } from '../lab/holder.ts'
import type { Host } from '../lab/host.ts'
import { type OneHolder, oneHolder } from '../lab/one-holder.ts'

const missing = missingForKernelTests()
const soon = () => AbortSignal.timeout(10_000)
const RESTORE_MS = 500

describe.skipIf(missing !== undefined)('Forwarder on the kernel', () => {
  let machine: OneHolder<'client' | 'server'>
  let client: Host
  let server: Host
  let directory: string
  let database: Database
  let forwarder: Forwarder

  beforeEach(async () => {
    machine = await oneHolder('client', 'server')
    ;({ client, server } = machine.workloads)
    await setUnderlays()
    directory = mkdtempSync(join(tmpdir(), 'nsm-forwarder-'))
    database = openDatabase(join(directory, 'wires.db'), { application: 'netns test', migrations: intentMigrations })
    forwarder = await open()
  })
  afterEach(async () => {
    await forwarder?.close()
    database?.close()
    await machine?.close()
    rmSync(directory, { recursive: true })
  })

  async function setUnderlays(): Promise<void> {
    const listen = { ip: '0.0.0.0', port: 0 }
    const privateKey = Buffer.alloc(32, 9).toString('base64')
    await machine.dataplane.setUnderlay({ id: 'wireguard', kind: 'wireguard', listen, privateKey }, soon())
    await machine.dataplane.setUnderlay({ id: 'vxlan', kind: 'vxlan', listen }, soon())
  }

  function open(): Promise<Forwarder> {
    const { dataplane, rtnl } = machine
    const platform = linuxPlatform(rtnl)
    return Forwarder.open({ database, platform, dataplane, clock: systemClock, logger: silentLogger }, soon())
  }

  async function restart(): Promise<void> {
    await forwarder.close()
    forwarder = await open()
  }

  /** The wire between the namespaces of the lab. */
  function here(wire: WireIntent): WireIntent {
    const place = (end: End, { namespace }: Host) => (workloadOf(end) === undefined ? end : { ...end, namespace })
    return { ...wire, client: place(wire.client, client), server: place(wire.server, server) }
  }

  const wires = () => [localWire('w1'), remoteWire('w2'), vxlanWire('w3')].map(here)

  async function establishAll(): Promise<void> {
    for (const wire of wires()) await forwarder.establish(wire, soon())
  }

  /** What people see, without what the kernel counts. */
  function seen(): Promise<unknown> {
    return Promise.all([client, server].map(seenIn))
  }

  test('makes every kind of wire, and removes it wholly', async () => {
    const before = await seen()
    await establishAll()
    expect(new Set(await client.linkNames())).toEqual(new Set(['c-w1', 'c-w2']))
    expect(new Set(await server.linkNames())).toEqual(new Set(['s-w1', 's-w3']))
    expect(await ip(client, 'route', 'show', 'table', '1')).toContain('default dev c-w2')
    expect(await ip(client, 'rule')).toContain('from 10.0.2.1 ipproto tcp dport 80 lookup 1')
    for (const { id } of wires()) await forwarder.remove(id, soon())
    expect(await seen()).toEqual(before)
    expect(await machine.dataplane.ports(soon())).toEqual(new Map())
    expect(await machine.dataplane.crossConnects(soon())).toEqual(new Map())
    expect(await linuxPlatform(machine.rtnl).namespaces.list(soon())).toEqual([])
  })

  test('carries packets over a local wire, both families', async () => {
    await forwarder.establish(here(localWire('w1')), soon())
    expect(await client.run(['ping', '-c1', '-W2', '10.0.1.2'])).toContain(' 0% packet loss')
    expect(await server.run(['ping', '-c1', '-W2', 'fd00::a00:101'])).toContain(' 0% packet loss')
  })

  test('writes nothing when it restarts on wires that stand', async () => {
    await establishAll()
    const before = await seen()
    await restart()
    expect(wires().map(({ id }) => forwarder.status(id)?.at)).toEqual(['settled', 'settled', 'settled'])
    expect([...forwarder.counters()].filter(([, { applies, removes }]) => applies + removes > 0)).toEqual([])
    expect(await seen()).toEqual(before)
  })

  test.each([
    ['the client end of a veth pair is deleted', ['client', 'link', 'del', 'c-w1']],
    ['an end of a veth pair is set down', ['server', 'link', 'set', 's-w1', 'down']],
    ['a TUN device is deleted', ['client', 'link', 'del', 'c-w2']],
    ['a TUN device is set down', ['client', 'link', 'set', 'c-w2', 'down']],
    ['a TAP device is renamed', ['server', 'link', 'set', 's-w3', 'down', 'name', 'mine']],
    ['an address is taken away', ['client', 'address', 'del', '10.0.2.1/32', 'dev', 'c-w2']],
  ] as const)('restores within half a second when %s', async (_, [namespace, ...command]) => {
    await establishAll()
    await systemClock.sleep(200) // the look that our own changes have set off
    const before = await seen()
    await ip(machine.workloads[namespace], ...command)
    // Not polled: half a second is what it has.
    await systemClock.sleep(RESTORE_MS)
    expect(await seen()).toEqual(before)
    expect([...forwarder.counters().values()].map(({ failures }) => failures)).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  test.each([
    ['veth', 'c-w1', localWire('w1')],
    ['TUN', 'c-w2', remoteWire('w2')],
  ])('refuses a name that is taken (%s), says so, and leaves nothing behind', async (_, name, wire) => {
    await client.ip(`link add ${name} type veth peer name elsewhere`)
    const before = await seen()
    await expect(forwarder.establish(here(wire), soon())).rejects.toMatchObject({ code: 'already_exists' })
    expect(await seen()).toEqual(before)
    expect(forwarder.intents()).toEqual([])
  })
})

async function seenIn(host: Host): Promise<unknown> {
  const links: readonly Record<string, unknown>[] = JSON.parse(await ip(host, '-j', 'link'))
  const shown = links.map(({ ifname, mtu, ifalias, flags }) => ({ ifname, mtu, ifalias, isUp: isUp(flags) }))
  const routesOf = (family: string) => ip(host, family, 'route', 'show', 'table', 'all', 'proto', '147')
  const routes = [await routesOf('-4'), await routesOf('-6')]
  const addresses = (await ip(host, '-br', 'address')).replaceAll(/fe80:\S+|@\S+/g, '')
  return {
    links: byName(shown),
    addresses: words(addresses),
    routes: words(routes.join('')),
    rules: await ip(host, 'rule'),
  }
}

function ip(host: Host, ...args: readonly string[]): Promise<string> {
  return host.run(['ip', ...args])
}

function isUp(flags: unknown): boolean {
  return Array.isArray(flags) && flags.includes('UP')
}

function byName<T extends { readonly ifname: unknown }>(links: readonly T[]): readonly T[] {
  return [...links].sort((a, b) => String(a.ifname).localeCompare(String(b.ifname)))
}

/** Lines in one order, without the spaces and the flags of the moment. */
function words(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replaceAll(/\b(UP|DOWN|UNKNOWN|linkdown|dead)\b/g, ''))
  return lines
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .sort()
}
