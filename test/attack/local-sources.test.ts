/**
 * Root in a pod sends from addresses that its wire does not have, to a pod of the same node: no engine is on the way,
 * so the kernel of the receiver drops them. Needs root and nsm-dataplane.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

describe.skipIf(missing !== undefined)('a wire within a node', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-sources-'))
  let machine: OneHolder<'client' | 'server'>
  let database: Database
  let forwarder: Forwarder
  let addresses: readonly [client: string, server: string]

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
      client: place(wire.client, workloads.client),
      server: place(wire.server, workloads.server),
    }
    await forwarder.establish(intent, AbortSignal.timeout(10_000))
    const ends = [intent.client, intent.server].map((end) => workloadOf(end)?.addresses[0]?.split('/')[0] ?? '')
    addresses = [ends[0] ?? '', ends[1] ?? '']
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
})

async function echoes(host: Host): Promise<number> {
  const [names = '', values = ''] = (await host.run(['grep', '^Icmp:', '/proc/net/snmp'])).trim().split('\n')
  return Number(values.split(' ')[names.split(' ').indexOf('InEchos')])
}

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
