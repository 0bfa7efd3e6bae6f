/**
 * What one side of a wire says of the other side's pod, and prefixes that take traffic which is none of the wire's.
 * Some attacks are refused; of others the request is served, and what it says is dropped.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ConnectionContext, emptyContext, emptyIpContext, type IpContext } from '../../pkg/api/index.ts'
import { firstRequest, TestEndpoint, TestNode } from '../../pkg/request/testing/test-node.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { SandboxEndpoint, Workload } from '../sandbox/workload.ts'
import { attacks } from './attacks.ts'

const sandbox = new Sandbox()
let west: SandboxDomain
let east: SandboxDomain
let near: SandboxNode
let far: SandboxNode
let victim: SandboxEndpoint
let victimFar: SandboxEndpoint

beforeAll(async () => {
  west = await sandbox.domain('west')
  east = await sandbox.domain('east')
  near = await west.node('n1')
  far = await east.node('n1')
  await west.joinTo(east)
  victim = await near.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  victimFar = await far.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/28' })
  await east.export('mail')
})
afterAll(() => sandbox.close())

function context(ip: Partial<IpContext>, rest: Partial<ConnectionContext> = {}): { context: ConnectionContext } {
  return { context: { ...emptyContext, ...rest, ip: { ...emptyIpContext, ...ip } } }
}

/** The routes in the pod of an endpoint, without those to the clients that it serves. */
function routesOf(node: SandboxNode, endpoint: SandboxEndpoint): readonly string[] {
  const { routes } = node.kernel.namespace(endpoint.namespace)
  return routes.map(({ prefix }) => prefix).filter((prefix) => !/^172\.16\.[12]\.\d+\/32$/.test(prefix))
}

function addressesOf(node: SandboxNode, endpoint: SandboxEndpoint): readonly string[] {
  return node.kernel.namespace(endpoint.namespace).addresses.map(({ address }) => address)
}

const route = (prefix: string) => ({ prefix, nextHop: '' })

describe.each([
  ['on the same node', 'kernel://files/nsm-1', () => [near, victim] as const],
  ['in another domain', 'kernel://mail@east/nsm-1', () => [far, victimFar] as const],
])('what a client says of an endpoint %s', (_, url, target) => {
  let attacker: Workload
  beforeAll(async () => {
    attacker = await near.workload()
  })

  test.each([
    ['all traffic in two halves', ['0.0.0.0/1', '128.0.0.0/1']],
    ['the gateway of the pod', ['10.244.1.1/32']],
    ['the addresses of its pool', ['172.16.1.128/25', '172.16.2.8/29']],
    ['the address of the API server', ['10.96.0.1/32']],
  ])('routes %s to itself: nothing changes in the pod', async (_what, prefixes) => {
    const [node, endpoint] = target()
    const wire = await attacker.request(url, context({ dstRoutes: prefixes.map(route) }))
    expect(routesOf(node, endpoint)).toEqual([])
    const again = await attacker.refresh({
      ...wire,
      ...context({ ...wire.context.ip, dstRoutes: prefixes.map(route) }),
    })
    expect(routesOf(node, endpoint)).toEqual([])
    await attacker.closeWire(again)
  })

  test('gives it addresses: it has its own only', async () => {
    const [node, endpoint] = target()
    const wire = await attacker.request(
      url,
      context({ dstIpAddrs: ['10.96.0.10/32'], srcIpAddrs: ['10.96.0.1/32', '8.8.8.8/32'] }),
    )
    expect(addressesOf(node, endpoint).every((address) => address.startsWith('172.16.'))).toBe(true)
    expect(routesOf(node, endpoint)).toEqual([])
    expect(wire.context.ip.srcIpAddrs.every((address) => address.startsWith('172.16.'))).toBe(true)
    await attacker.closeWire(wire)
  })

  test('chooses what the endpoint has to say: the endpoint hears nothing of it', async () => {
    const policy = { from: '', proto: 'tcp', dstPort: '443', srcPort: '', routes: [] }
    const wire = await attacker.request(
      url,
      context(
        {
          policies: [policy],
          ipNeighbors: [{ ip: '10.244.1.1', hardwareAddress: '02:00:00:00:00:01' }],
          extraPrefixes: ['10.0.0.0/8'],
        },
        { dnsConfigs: [{ dnsServerIps: ['203.0.113.53'], searchDomains: ['cluster.local'] }] },
      ),
    )
    expect(wire.context).toMatchObject({ dnsConfigs: [], ip: { policies: [], ipNeighbors: [], extraPrefixes: [] } })
    await attacker.closeWire(wire)
  })
})

test('a client that says on which node it is: services hear what its node knows', async () => {
  const attacker = await near.workload()
  const wire = await attacker.request('kernel://mail@east/nsm-1', { labels: { nodeName: 'n1', app: 'web' } })
  const [served] = [...victimFar.server.served()]
  expect(served?.labels).toMatchObject({ nodeName: 'n1@west', app: 'web' })
  await attacker.closeWire(wire)
})

test('a client that excludes more prefixes than anybody has is refused', async () => {
  const attacker = await near.workload()
  const excludedPrefixes = Array.from({ length: 1_001 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`)
  await expect(attacker.request('kernel://files/nsm-1', context({ excludedPrefixes }))).rejects.toMatchObject({
    code: 'invalid_argument',
  })
})

test.each([
  ['its labels', { labels: Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`${at}`, 'x'.repeat(4_000)])) }],
  [
    'its context',
    context({}, { extra: Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`${at}`, 'x'.repeat(4_000)])) }),
  ],
])('a client that has its node keep 240 kB for a wire, in %s, is refused', async (_, change) => {
  const attacker = await near.workload()
  const attempt = attacker.request('kernel://files/nsm-1', change)
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_argument' })
  expect(near.engine.crossConnects.size).toBe(0)
})

/** An endpoint that answers with what it likes, to a client that asks for nothing. */
const evil: readonly [prefix: string, why: RegExp][] = [
  ['169.254.0.0/15', /link-local/],
  ['169.254.169.254/32', /link-local/],
  ['127.0.0.2/7', /wider/],
  ['127.0.0.2/8', /loopback/],
  ['0.0.0.0/8', /this network/],
  ['224.0.0.0/3', /wider|multicast/],
  ['::ffff:127.0.0.1/128', /IPv4 in IPv6/],
  ['fe80::/9', /link-local/],
  ['2000::/3', /wider/],
  ['0.0.0.0/0', /wider/],
  ['0.0.0.0/1', /wider/],
  ['128.0.0.0/1', /wider/],
  ['10.244.1.1/24', /the pod/],
  ['10.244.1.1/32', /gateway/],
  ['10.244.1.7/32', /own address/],
  ['10.0.0.0/8', /pod/],
  ['fd00:ec2::23/128', /metadata/],
  ['fd20:c0::/26', /metadata/],
]

describe('what an endpoint routes into the pod of a client', () => {
  let client: Workload
  let liar: SandboxEndpoint
  beforeAll(async () => {
    client = await near.workload()
    liar = await far.endpoint({ service: 'lies', name: 'nse-lies', cidr: '172.16.3.0/24' })
    await east.export('lies')
    near.kernel.addDevice(client.namespace, 'eth0', 'veth')
    const { addresses, routes } = near.kernel.namespace(client.namespace)
    addresses.push({ namespace: client.namespace, link: 'eth0', address: '10.244.1.7/24' })
    routes.push({ namespace: client.namespace, link: 'eth0', prefix: '0.0.0.0/0', via: '10.244.1.1', table: 254 })
  })

  const world = async () => {
    const { links, addresses, routes, rules } = near.kernel.namespace(client.namespace)
    return { links: [...links.keys()], addresses: [...addresses], routes: [...routes], rules: [...rules] }
  }

  attacks('in its answer', () =>
    evil.map(([prefix, text]) => ({
      name: `routes ${prefix}`,
      run: async () => {
        liar.say((ip) => ({ ...ip, srcRoutes: [...ip.srcRoutes, route(prefix)] }))
        return client.request('kernel://lies@east/nsm-1')
      },
      denied: { code: 'invalid_argument', text },
      world,
    })),
  )

  attacks('in spite of what the client excludes', () => [
    {
      name: 'takes the name server of its cluster',
      run: async () => {
        liar.say((ip) => ({ ...ip, policies: [], srcRoutes: [...ip.srcRoutes, route('10.96.0.10/32')] }))
        return client.request('kernel://lies@east/nsm-1', context({ excludedPrefixes: ['10.96.0.0/12'] }))
      },
      denied: { code: 'invalid_argument', text: /excluded/ },
      world,
    },
  ])

  attacks('in pieces', () => [
    {
      name: 'takes the internet in networks of which each is small enough',
      run: async () => {
        const pieces = Array.from({ length: 200 }, (_, at) => `${at + 1}.0.0.0/8`)
        const allowed = pieces.filter((piece) => !/^(10|100|127|168|169|192)\./.test(piece))
        liar.say((ip) => ({ ...ip, policies: [], srcRoutes: allowed.map(route) }))
        return client.request('kernel://lies@east/nsm-1')
      },
      denied: { code: 'invalid_argument', text: /together/ },
      world,
    },
  ])

  attacks('by policies', () => [
    {
      name: 'takes all packets to a port',
      run: async () => {
        const policy = { from: '', proto: 'tcp', dstPort: '443', srcPort: '', routes: [] }
        liar.say((ip) => ({ ...ip, policies: [policy] }))
        return client.request('kernel://lies@east/nsm-1')
      },
      denied: { code: 'invalid_argument', text: /wider/ },
      world,
    },
  ])

  test('a default route comes to a client that asks for one', async () => {
    liar.say((ip) => ({
      ...ip,
      srcRoutes: [...ip.srcRoutes.filter(({ prefix }) => prefix !== '0.0.0.0/1'), route('0.0.0.0/1')],
    }))
    const wire = await client.request('kernel://lies@east/nsm-1', context({ srcRoutes: [route('0.0.0.0/1')] }))
    expect(wire.context.ip.srcRoutes.map(({ prefix }) => prefix)).toContain('0.0.0.0/1')
    await client.refresh(wire)
    await client.closeWire(wire)
  })
})

test('a far node that answers with the name of another endpoint: the connection has that of the endpoint that was asked', async () => {
  const endpoint = new TestEndpoint()
  const hop = endpoint.hop()
  const lies = async (...asked: Parameters<typeof hop.client.request>) => {
    const answer = await hop.client.request(...asked)
    return { ...answer, endpointName: 'nse-payroll@west' }
  }
  const node = new TestNode({ connect: () => ({ ...hop, client: { ...hop.client, request: lies } }) })
  node.serve('files', 'nse-files')
  const { endpointName } = await node.service.request(firstRequest('files'), node.call())
  expect(endpointName).toBe('nse-files')
})
