/** "It says up, packets do not pass": what a node says of a wire when the way to the other node breaks. */
import { beforeAll, expect, test } from 'vitest'
import type { nodeV1 } from '../../pkg/api/index.ts'
import { nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload } from '../lab/workload.ts'

const cluster = oneCluster(2)

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [near, far] = nodes
  if (near === undefined || far === undefined) throw new Error('the cluster has no two nodes')
  const server = await startWorkload(lab, far, 'server-1')
  serveService(lab, server, { service: 'files', cidr: '172.16.1.100/31' })
  const client = await startWorkload(lab, near, 'client-1')
  await until('the endpoint', async () => (await nsmctl(near, 'get', 'endpoints')).stdout.includes('files'))
  await requestServices(lab, client, 'kernel://files/nsm-1')
}, 60_000)

async function wireAt(index: number): Promise<Partial<nodeV1.Wire>> {
  const node = cluster().nodes[index]
  if (node === undefined) throw new Error('there is no such node')
  return JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)[0] ?? {}
}

test('a wire shows how the way to the other node is, from both ends', async () => {
  for (const index of [0, 1]) {
    const path = async () => {
      const { client, server } = await wireAt(index)
      return client?.path ?? server?.path
    }
    await until('the first echo', async () => (await path())?.state === 'up')
    expect(await path()).toMatchObject({ rttUs: expect.any(Number), mtuBytes: expect.any(Number) })
  }
})

test('a wire over a way that is cut is down, with the reason, and up again afterwards', async () => {
  const { lab, nodes } = cluster()
  const link = `host${nodes[1]?.address.split('.').at(-1)}`
  await lab.internet.ip(`link set ${link} down`)
  await until('the wire to be down', async () => (await wireAt(0)).state === 'down', 5_000)
  expect((await wireAt(0)).problem).toMatch(/no packet comes through to 203\.0\.113\.\d+:\d+ and back/)
  await lab.internet.ip(`link set ${link} up`)
  await until('the wire to be up again', async () => (await wireAt(0)).state === 'up', 20_000)
}, 60_000)
