/** "Up" is what was seen: UDP between two nodes is blocked, from the start and under a wire that stands. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { nodeV1 } from '../../pkg/api/index.ts'
import { type Node, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

const cluster = oneCluster(2)
let client: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const server = await startWorkload(lab, nodeAt(1), 'server-1')
  serveService(lab, server, { service: 'files', cidr: '172.16.1.100/28' })
  client = await startWorkload(lab, nodeAt(0), 'client-1')
  await until('the endpoint', async () =>
    (await nsmctl(nodes[0] ?? nodeAt(0), 'get', 'endpoints')).stdout.includes('files'),
  )
}, 60_000)

afterEach(() => setBlocked(false))

function nodeAt(index: number): Node {
  const node = cluster().nodes[index]
  if (node === undefined) throw new Error(`there is no node ${index}`)
  return node
}

/** Drops the tunnels' datagrams in both directions at the first node; daemons still reach each other. */
async function setBlocked(isBlocked: boolean): Promise<void> {
  const { host } = nodeAt(0)
  await host.tryRun(['nft', 'delete', 'table', 'inet', 'block'])
  if (!isBlocked) return
  const chain = (way: string) => `chain ${way} { type filter hook ${way}put priority 0; meta l4proto udp drop; }\n`
  await host.run(['nft', '-f', '-'], { input: `table inet block { ${chain('in')} ${chain('out')} }\n` })
}

async function wireAt(index: number): Promise<Partial<nodeV1.Wire>> {
  return JSON.parse((await nsmctl(nodeAt(index), 'get', 'wires', '-o', 'json')).stdout)[0] ?? {}
}

async function areBoth(state: string): Promise<boolean> {
  return (await wireAt(0)).state === state && (await wireAt(1)).state === state
}

async function expectCodes(expected: number): Promise<void> {
  for (const index of [0, 1]) {
    const commands = [['status'], ['get', 'wires']]
    const codes = await Promise.all(commands.map(async (command) => (await nsmctl(nodeAt(index), ...command)).code))
    expect(codes).toEqual([expected, expected])
  }
}

test('a wire without UDP is connecting, down within 15 s with the reason, and up when UDP passes', async () => {
  const { lab } = cluster()
  await setBlocked(true)
  await requestServices(lab, client, 'kernel://files/nsm-1')
  const madeMs = Date.now()
  expect(await areBoth('connecting')).toBe(true)
  await until('the wire to be down at both ends', () => areBoth('down'), 30_000)
  const nothing =
    /^no packet of this wire comes through to 203\.0\.113\.\d+:\d+ and back: no handshake has been answered yet$/
  for (const index of [0, 1]) {
    expect((await wireAt(index)).problem).toMatch(nothing)
    // nsmctl itself takes a while: the node's log says when it noticed.
    expect(noticedMs(index, 'No packet of a wire comes through') - madeMs).toBeLessThan(15_000)
  }
  await expectCodes(3)
  await setBlocked(false)
  await until('the wire to be up at both ends', () => areBoth('up'), 15_000)
  await expectCodes(0)
}, 60_000)

test('a wire that stands is down within a second at both ends, and up again when UDP passes', async () => {
  await setBlocked(true)
  const blockedMs = Date.now()
  await until('the wire to be down at both ends', () => areBoth('down'), 5_000)
  for (const index of [0, 1]) {
    expect((await wireAt(index)).problem).toMatch(/^no packet comes through to 203\.0\.113\.\d+:\d+ and back/)
    // The node waits for 300 ms more before it is sure.
    expect(noticedMs(index, 'Nothing comes through to a node') - blockedMs).toBeLessThan(700)
  }
  await expectCodes(3)
  await setBlocked(false)
  await until('the wire to be up at both ends', () => areBoth('up'), 10_000)
}, 60_000)

/** When the node last logged this. */
function noticedMs(index: number, message: string): number {
  const lines = readFileSync(`${cluster().lab.directory}/${nodeAt(index).name}.log`, 'utf8').split('\n')
  const last = lines.findLast((line) => line.includes(message)) ?? '{}'
  return Date.parse(JSON.parse(last).time)
}
