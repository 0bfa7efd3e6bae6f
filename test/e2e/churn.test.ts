/**
 * What hundreds of wires leave behind: nothing. And what a restart does to five hundred that stand: nothing. A soak asks
 * for more: NSM_CHURN_ROUNDS=10000.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { kernelState, processStates, settledState } from '../lab/belongings.ts'
import { type Node, nodeReady, nsmctl, workloadEnvironment } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { ROOT } from '../lab/programs.ts'
import type { Piped } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { serveService, startWorkload, type Workload } from '../lab/workload.ts'

const ROUNDS = Number(process.env['NSM_CHURN_ROUNDS'] ?? 400)
const STANDING = 500
/** What the heap keeps after any work, up to 1.8 MB measured for 400 and for 1,200 wires, and next to nothing a wire. */
const MOST_GROWTH_BYTES = 2 * 1024 * 1024 + 1024 * ROUNDS

/** All wires are those of one user. */
const cluster = oneCluster(2, { environment: () => ({ NSM_MAX_WIRES: '1000' }) })
let client: Workload
let near: Workload
let far: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [first, second] = nodes as [Node, Node]
  client = await startWorkload(lab, first, 'churn')
  near = await startWorkload(lab, first, 'near-1')
  far = await startWorkload(lab, second, 'far-1')
  serveService(lab, near, { service: 'near', cidr: '10.20.0.0/20' })
  serveService(lab, far, { service: 'far', cidr: '10.20.0.0/20' })
  await until('both endpoints', async () => (await wiresOrEndpoints(first, 'endpoints')).length === 2)
}, 60_000)

test.each([
  ['on one node', 'near', () => near],
  ['between two nodes', 'far', () => far],
])(
  `${ROUNDS} wires opened and closed %s leave nothing behind`,
  async (_, service, endpoint) => {
    const { nodes } = cluster()
    await churn(service, 'rounds', ROUNDS / 4) // so that every cache is warm
    const kernelBefore = [await kernelState(client), await kernelState(endpoint())]
    const before = await Promise.all(nodes.map(processStates))
    const { seconds } = await churn(service, 'rounds', ROUNDS)
    console.log(`${service}: ${(ROUNDS / seconds).toFixed(0)} wires opened and closed a second`)
    expect([await kernelState(client), await kernelState(endpoint())]).toEqual(kernelBefore)
    for (const [index, node] of nodes.entries()) {
      expect(await wiresOrEndpoints(node, 'wires')).toEqual([])
      for (const [name, state] of await processStates(node)) {
        const then = before[index]?.get(name)
        expect.soft(state.descriptors, `descriptors of ${name} of ${node.name}`).toBe(then?.descriptors)
        const growth = state.bytes - (then?.bytes ?? 0)
        expect.soft(growth, `growth of ${name} of ${node.name}`).toBeLessThan(MOST_GROWTH_BYTES)
      }
    }
  },
  60_000 + ROUNDS * 200,
)

test(`a restart of nsmd with ${STANDING} standing wires writes nothing to the kernel`, async () => {
  const { node } = cluster()
  const holding = start('near', 'hold', STANDING)
  await nextLine(holding)
  const before = await settledState(client)
  const monitors = [monitor(client), monitor(near)]
  const { restarts } = node.nsmd
  node.nsmd.kill()
  await until('nsmd to restart', async () => node.nsmd.restarts > restarts)
  await nodeReady(node)
  expect((await wiresOrEndpoints(node, 'wires')).filter(({ state }) => state === 'up')).toHaveLength(STANDING)
  expect(await Promise.all(monitors.map((stop) => stop()))).toEqual(['', ''])
  expect(await kernelState(client)).toBe(before)
  holding.kill()
}, 180_000)

async function churn(service: string, mode: string, count: number): Promise<{ seconds: number }> {
  const child = start(service, mode, count)
  const line = await nextLine(child)
  await once(child, 'exit')
  return JSON.parse(line)
}

function start(service: string, mode: string, count: number): Piped {
  const script = [process.execPath, `${ROOT}/test/e2e/churn-client.ts`, service, mode, `${count}`]
  return client.host.pipe(script, { env: workloadEnvironment(client.node) })
}

async function nextLine({ stdout }: Piped): Promise<string> {
  for await (const line of createInterface({ input: stdout })) return line
  throw new Error('the churn client ended without a word')
}

async function wiresOrEndpoints(node: Node, kind: 'wires' | 'endpoints'): Promise<{ state?: string }[]> {
  const { stdout, stderr, code } = await nsmctl(node, 'get', kind, '-o', 'json')
  if (code !== 0) throw new Error(`nsmctl get ${kind}: ${stderr}`)
  return JSON.parse(stdout)
}

/** Listens to every change that the kernel tells of in the namespace; the returned function gives what it heard. */
function monitor(workload: Workload): () => Promise<string> {
  const child = workload.host.pipe(['ip', 'monitor', 'link', 'address', 'route', 'rule'])
  let heard = ''
  child.stdout.on('data', (chunk: Buffer) => {
    heard += chunk.toString()
  })
  return async () => {
    child.kill()
    await once(child, 'exit')
    return heard
  }
}
