/** A service of Ethernet frames on another node: a segment that reaches across the internet, inside WireGuard. */
import { beforeAll, expect, test } from 'vitest'
import { type Node, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

const [CLIENT, SERVER] = ['172.16.1.101', '172.16.1.100']

const cluster = oneCluster(2)
let client: Workload
let server: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  client = await startWorkload(lab, near, 'client-1')
  server = await startWorkload(lab, far, 'server-1')
  const environment = { NSM_PAYLOAD: 'ETHERNET' }
  serveService(lab, server, { service: 'segment', cidr: `${SERVER}/31`, environment })
  await until('the endpoint', async () => (await nsmctl(near, 'get', 'endpoints')).stdout.includes('segment'))
  await requestServices(lab, client, 'kernel://segment/nsm-1')
}, 60_000)

test('pings pass both ways, and the neighbours know each other by their Ethernet addresses', async () => {
  await client.host.run(['ping', '-c', '5', '-i', '0.05', '-W', '1', SERVER])
  await server.host.run(['ping', '-c', '5', '-i', '0.05', '-W', '1', CLIENT])
  const { address } = await wireLink()
  expect(await server.host.run(['ip', 'neighbour', 'show', CLIENT])).toContain(address)
}, 30_000)

test('packets of the full MTU pass whole', async () => {
  const { mtu } = await wireLink()
  await client.host.run(['ping', '-c', '3', '-i', '0.05', '-W', '1', '-M', 'do', '-s', `${mtu - 28}`, SERVER])
})

test('nsmctl shows on both nodes that the frames are sealed', async () => {
  for (const { node } of [client, server]) {
    await until('the wire to be up', async () => / up /.test((await nsmctl(node, 'get', 'wires')).stdout))
    const [wire, ...others] = JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)
    expect(others).toEqual([])
    expect(wire).toMatchObject({ networkService: 'segment', payload: 'ETHERNET', state: 'up' })
    const remote = node === client.node ? wire.server : wire.client
    expect(remote).toMatchObject({ mechanism: 'WIREGUARD', session: 'established' })
  }
})

test('after the death of the dataplane the segment is whole again', async () => {
  process.kill(client.node.holder.pid, 'SIGKILL')
  await until(
    'pings to pass',
    async () => (await client.host.tryRun(['ping', '-c', '2', '-i', '0.05', '-W', '1', SERVER])).code === 0,
  )
}, 60_000)

/** The client's end, as `ip` shows it. */
async function wireLink(): Promise<{ readonly address: string; readonly mtu: number }> {
  return JSON.parse(await client.host.run(['ip', '-json', 'link', 'show', 'dev', 'nsm-1']))[0]
}
