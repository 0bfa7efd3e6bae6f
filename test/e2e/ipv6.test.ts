/** IPv6 within and without: nodes that have no other addresses, and a service that has both. */
import { beforeAll, expect, test } from 'vitest'
import { type Node, nodeReady, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

const CLIENT_IPS = ['172.16.1.101', 'fd00::101']
const SERVICE_IPS = ['172.16.1.100', 'fd00::100']
/** The network's 1500 bytes, without IPv6, UDP and WireGuard headers. */
const MTU_BYTES = 1420
const HEADER_BYTES: Readonly<Record<string, number>> = { '172.16.1.100': 28, 'fd00::100': 48 }

const cluster = oneCluster(2, { family: 6 })
let client: Workload
let server: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  client = await startWorkload(lab, near, 'client-1')
  server = await startWorkload(lab, far, 'files-1')
  serveService(lab, server, { service: 'files', cidr: '[172.16.1.100/31],[fd00::100/127]' })
  await until('the endpoint', async () => (await nsmctl(near, 'get', 'endpoints')).stdout.includes('files'))
  await requestServices(lab, client, 'kernel://files/nsm-1')
}, 60_000)

/** @throws {Error} unless every ping is answered */
async function ping(from: Workload, ip: string, ...options: readonly string[]): Promise<void> {
  const output = await from.host.run(['ping', '-c', '3', '-i', '0.05', '-W', '2', ...options, ip])
  expect(output).toContain(' 0% packet loss')
}

test('nodes that have IPv6 addresses only join a wire over IPv6', async () => {
  const { nodes } = cluster()
  for (const node of nodes) {
    expect(await node.host.run(['ip', '-4', '-br', 'address', 'show', 'dev', 'eth0'])).toBe('')
    expect(JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)).toMatchObject([{ state: 'up' }])
  }
  const { stdout } = await nsmctl(nodes[0] as Node, 'get', 'wires', '-o', 'json')
  const [wire] = JSON.parse(stdout)
  expect(wire.server).toMatchObject({ mechanism: 'WIREGUARD', peer: `[${nodes[1]?.address}]:51820` })
  expect(wire.mtuBytes).toBe(MTU_BYTES)
})

test.each(SERVICE_IPS)('a wire with addresses of both versions carries packets to %s, up to its MTU', async (ip) => {
  await ping(client, ip)
  const payload = MTU_BYTES - (HEADER_BYTES[ip] ?? 0)
  await ping(client, ip, '-M', 'do', '-s', `${payload}`)
})

test.each(CLIENT_IPS)('and back, to %s', (ip) => ping(server, ip))

test('the wire stands when the engine and the node daemon of one end are killed', async () => {
  const [near] = cluster().nodes as [Node, Node]
  const { dataplane } = JSON.parse((await nsmctl(near, 'status', '-o', 'json')).stdout)
  process.kill(dataplane.enginePid, 'SIGKILL')
  const { restarts } = near.nsmd
  near.nsmd.kill()
  await until('nsmd to restart', async () => near.nsmd.restarts > restarts)
  await nodeReady(near)
  for (const ip of SERVICE_IPS) await ping(client, ip)
}, 30_000)
