/** A default route through a wire, for a client that asks for one: with packets, beside the pod's own. */
import { beforeAll, expect, test } from 'vitest'
import { type Node, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { stop } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

/** An address that only the endpoint knows, as the internet is behind a gateway. */
const BEHIND = '203.0.113.77'

const cluster = oneCluster(2)
let client: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  client = await startWorkload(lab, near, 'client-1')
  const server = await startWorkload(lab, far, 'vpn-1')
  await server.host.ip('link set lo up', `address add ${BEHIND}/32 dev lo`)
  serveService(lab, server, { service: 'vpn', cidr: '172.16.1.0/24' })
  await until('the endpoint', async () => (await nsmctl(near, 'get', 'endpoints')).stdout.includes('vpn'))
}, 60_000)

const wayTo = async (ip: string) => (await client.host.run(['ip', '-oneline', 'route', 'get', ip])).split(' uid')[0]
const ping = () => client.host.tryRun(['ping', '-c', '3', '-i', '0.05', '-W', '1', BEHIND])

test('a client that does not ask goes on by its own network', async () => {
  const { lab } = cluster()
  const child = await requestServices(lab, client, 'kernel://vpn/nsm-1')
  expect(await wayTo(BEHIND)).toMatch(/via 10\.244\.\d\.1 dev eth0/)
  expect((await ping()).stdout).toContain('100% packet loss')
  await stop(child)
})

test('a client that asks sends everything by the wire, and by its own network when the wire is gone', async () => {
  const { lab } = cluster()
  await until('the first wire to be gone', async () => !(await client.host.run(['ip', 'link'])).includes('nsm-1'))
  const child = await requestServices(lab, client, 'kernel://vpn/nsm-1?default-route=ipv4')
  expect(await wayTo(BEHIND)).toContain('dev nsm-1')
  expect((await ping()).stdout).toContain(' 0% packet loss')
  expect(await wayTo('10.244.1.200')).toContain('dev eth0') // what the pod reaches directly stays
  expect(await client.host.run(['ip', 'route'])).toMatch(/default via 10\.244\.\d\.1 dev eth0/)
  await stop(child)
  await until('the wire to be gone', async () => !(await client.host.run(['ip', 'link'])).includes('nsm-1'))
  expect(await wayTo(BEHIND)).toMatch(/via 10\.244\.\d\.1 dev eth0/)
})
