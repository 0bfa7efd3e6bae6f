/** A wire ends because something is known: its pod is gone, its endpoint has died. Never because a token ran out. */
import type { ChildProcess } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import type { nodeV1 } from '../../pkg/api/index.ts'
import { type Node, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { stop } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

const CIDR = '172.16.1.100/31'
const ENDPOINT_IP = '172.16.1.100'

const cluster = oneCluster(2)
const endpoints = new Map<string, { readonly child: ChildProcess; readonly workload: Workload }>()

beforeAll(async () => {
  for (const name of ['server-1', 'server-2']) await serve(name)
}, 60_000)

async function serve(name: string): Promise<void> {
  const { lab } = cluster()
  const known = endpoints.get(name)
  const workload = known?.workload ?? (await startWorkload(lab, second(), name))
  endpoints.set(name, { child: serveService(lab, workload, { service: 'files', cidr: CIDR }), workload })
  await until(`the endpoint ${name}`, async () => (await nsmctl(second(), 'get', 'endpoints')).stdout.includes(name))
}

function second(): Node {
  const [, node] = cluster().nodes
  if (node === undefined) throw new Error('the cluster has no two nodes')
  return node
}

async function wires(node: Node): Promise<readonly Partial<nodeV1.Wire>[]> {
  return JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)
}

/** Links in the pods of the endpoints. */
async function served(): Promise<number> {
  return (await Promise.all([...endpoints.values()].map(({ workload }) => workload.host.linkNames()))).flat().length
}

async function client(name: string): Promise<{ readonly workload: Workload; readonly child: ChildProcess }> {
  const { lab, node } = cluster()
  const workload = await startWorkload(lab, node, name)
  return { workload, child: await requestServices(lab, workload, 'kernel://files/nsm-1') }
}

async function loses(workload: Workload, ms: number): Promise<number> {
  const ping = ['ping', '-n', '-q', '-i', '0.01', '-c', `${ms / 10}`, '-W', '1', ENDPOINT_IP]
  const { stdout } = await workload.host.tryRun(ping)
  const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? []
  return Number(sent) - Number(received)
}

test('endpoint killed: its wire leads to the other one within a second, with the same addresses', async () => {
  const { workload, child } = await client('client-killed')
  const [{ endpoint = '' } = {}] = await wires(cluster().node)
  const pinging = loses(workload, 2_000)
  endpoints.get(endpoint)?.child.kill('SIGKILL')
  await until('the wire to lead to the other one', async () => {
    const [wire] = await wires(cluster().node)
    return wire?.state === 'up' && wire.endpoint !== endpoint
  })
  expect(await pinging).toBeLessThan(100) // in hundredths of a second
  await serve(endpoint)
  await stop(child)
  workload.program.kill('SIGKILL')
}, 60_000)

test('client killed beside another process of its pod: its wire stays, and nothing is lost', async () => {
  const { workload, child } = await client('client-beside')
  const pinging = loses(workload, 4_000)
  child.kill('SIGKILL')
  expect(await pinging).toBe(0)
  expect(await wires(cluster().node)).toHaveLength(1)
  workload.program.kill('SIGKILL')
  await until('its wire to end with the last process', async () => (await wires(cluster().node)).length === 0, 5_000)
}, 60_000)

test('pod of a client gone: its wire ends within two seconds at both nodes', async () => {
  const { child, workload } = await client('client-gone')
  expect([(await wires(cluster().node)).length, (await wires(second())).length]).toEqual([1, 1])
  const before = await served()
  const startMs = performance.now()
  child.kill('SIGKILL')
  workload.program.kill('SIGKILL')
  await until('the far end to be gone', async () => (await served()) < before, 5_000)
  expect(performance.now() - startMs).toBeLessThan(2_000)
  expect([await wires(cluster().node), await wires(second())]).toEqual([[], []])
}, 60_000)
