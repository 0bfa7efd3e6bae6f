/** Prefixes that no wire has by default: who gets one by a policy, who does not, and what no policy can give. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyContext, emptyIpContext, type IpContext, nodeV1 } from '../../pkg/api/index.ts'
import { describeError, nextStep } from '../../pkg/base/index.ts'
import { parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest } from '../../pkg/client/requests.ts'
import { clientOf } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { SandboxEndpoint, Workload } from '../sandbox/workload.ts'
import { attacks } from './attacks.ts'

const METADATA = '168.63.129.16/32'
/** The first that is found: which one it is does not matter. */
const OF_THE_POD = /it contains the (gateway 10\.244\.1\.1 of the pod|pod's own address 10\.244\.1\.7)/
const VPN = 'kernel://vpn@east/nsm-1'

const sandbox = new Sandbox()
const policyPath = join(sandbox.directory, 'near.yaml')
let west: SandboxDomain
let east: SandboxDomain
let near: SandboxNode
let far: SandboxNode
let vpn: SandboxEndpoint
let other: SandboxEndpoint
let client: Workload

const allow = (prefixes: string, when: string) =>
  `{name: vpn, effect: allow, actions: [route], prefixes: [${prefixes}], when: ${JSON.stringify(when)}}`
const RULE = allow(`10.0.0.0/8, ${METADATA}`, "service == 'vpn@east' && client.uid == '1000'")
const FAR = `rules: [${allow(METADATA, "service in ['vpn', 'other']")}]`

function policyFile(name: string, text: string) {
  const path = join(sandbox.directory, `${name}.yaml`)
  writeFileSync(path, text)
  return { NSM_POLICY: path }
}

beforeAll(async () => {
  west = await sandbox.domain('west')
  east = await sandbox.domain('east')
  near = await west.node('n1', {
    ...policyFile('near', `rules: [${RULE}]`),
    NSM_EXCLUDED_PREFIXES: '172.31.0.0/24,fd96::/112',
  })
  far = await east.node('n1', policyFile('far', FAR))
  await west.joinTo(east)
  vpn = await far.endpoint({ service: 'vpn', name: 'nse-vpn', cidr: '172.16.3.0/24' })
  other = await far.endpoint({ service: 'other', name: 'nse-other', cidr: '172.16.4.0/24' })
  await east.export('vpn')
  await east.export('other')
  client = await pod(1000)
})
afterAll(() => sandbox.close())

/** A workload with a network of its own, as a pod has it. */
async function pod(uid: number): Promise<Workload> {
  const workload = await near.workload(uid)
  const { namespace } = workload
  near.kernel.addDevice(namespace, 'eth0', 'veth')
  const { addresses, routes } = near.kernel.namespace(namespace)
  addresses.push({ namespace, link: 'eth0', address: '10.244.1.7/24' })
  routes.push({ namespace, link: 'eth0', prefix: '0.0.0.0/0', via: '10.244.1.1', table: 254 })
  return workload
}

const route = (prefix: string) => ({ prefix, nextHop: '' })
const routing = (prefix: string) => (ip: IpContext) => ({ ...ip, srcRoutes: [...ip.srcRoutes, route(prefix)] })
const asking = (ip: Partial<IpContext>) => ({ context: { ...emptyContext, ip: { ...emptyIpContext, ...ip } } })
const routesOf = ({ namespace }: { readonly namespace: string }, node = near) =>
  node.kernel.namespace(namespace).routes.map(({ prefix }) => prefix)

async function refusal(url: string, who = client): Promise<string> {
  return who.request(url).then(
    () => 'no refusal',
    (error: unknown) => `${describeError(error)}: ${nextStep(error) ?? ''}`,
  )
}

describe('by a policy, a wire has', () => {
  test.each(['10.0.0.0/8', '10.244.1.1/32', METADATA])('%s, for as long as the policy says so', async (prefix) => {
    vpn.say(routing(prefix))
    const wire = await client.request(VPN)
    expect(routesOf(client)).toContain(prefix)
    await client.refresh(wire)
    await client.closeWire(wire)
    expect(routesOf(client)).not.toContain(prefix)
  })

  test('what it no longer has once the policy has changed', async () => {
    vpn.say(routing('10.0.0.0/8'))
    const wire = await client.request(VPN)
    await client.refresh(wire)
    const startMs = performance.now()
    writeFileSync(policyPath, 'rules: []')
    await until('the wire to be gone', () => !routesOf(client).includes('10.0.0.0/8'), 10_000)
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(await refusal(VPN)).toMatch(OF_THE_POD)
    writeFileSync(policyPath, `rules: [${RULE}]`)
    await until('the policy to be back', async () => (await client.request(VPN).catch(() => undefined)) !== undefined)
    await client.closeWire(wire)
  })

  test('what nsmctl policy diff names, if another policy would take it', async () => {
    vpn.say(routing('10.0.0.0/8'))
    const wire = await client.request(VPN)
    const node = clientOf(nodeV1.NodeService, (await near.operator()).channel)
    const diff = (text: string) =>
      node.diffPolicy({ files: [{ path: 'new.yaml', text }] }, { signal: AbortSignal.timeout(5_000) })
    expect(await diff(`rules: [${RULE}]`)).toEqual({ closed: [], kept: 1 })
    expect(await diff('rules: []')).toMatchObject({
      closed: [{ networkService: 'vpn@east', reason: 'the policy denies to route 10.0.0.0/8: no rule allows it' }],
      kept: 0,
    })
    expect(routesOf(client)).toContain('10.0.0.0/8')
    await client.closeWire(wire)
  })

  test('nothing in spite of a rule that denies', async () => {
    vpn.say(routing('10.0.0.0/8'))
    writeFileSync(
      policyPath,
      `rules: [${RULE}, {name: no-ten, effect: deny, actions: [route], prefixes: [10.244.0.0/16]}]`,
    )
    await until('the policy to change', async () => OF_THE_POD.test(await refusal(VPN)))
    writeFileSync(policyPath, `rules: [${RULE}]`)
    await until('the policy to be back', async () => (await client.request(VPN).catch(() => undefined)) !== undefined)
    await client.closeWire(await client.request(VPN))
  })
})

test('a refusal names the rule that would allow it, and the rule does', async () => {
  other.say(routing('10.0.0.0/8'))
  const text = await refusal('kernel://other@east/nsm-2')
  const rule = /on the node n1 of west .*NSM_POLICY: (\{.*\})/.exec(text)?.[1] ?? ''
  expect(rule).toBe(
    `{name: route-10-0-0-0-8, effect: allow, actions: [route], prefixes: ["10.0.0.0/8"], when: "service == 'other@east'"}`,
  )
  writeFileSync(policyPath, `rules: [${RULE}, ${rule}]`)
  const request = () => client.request('kernel://other@east/nsm-2').catch(() => undefined)
  await until('the policy to change', async () => (await request()) !== undefined)
  const wire = await client.request('kernel://other@east/nsm-2')
  expect(routesOf(client)).toContain('10.0.0.0/8')
  await client.closeWire(wire)
  writeFileSync(policyPath, `rules: [${RULE}]`)
  await until(
    'the policy to be back',
    async () => (await refusal('kernel://other@east/nsm-2')).match(OF_THE_POD) !== null,
  )
})

describe('what a rule does not name', () => {
  let stranger: Workload
  beforeAll(async () => {
    stranger = await pod(2000)
  })
  const world = async () => [routesOf(client), routesOf(stranger)]

  attacks('is refused', () => [
    {
      name: 'another client of the same service',
      run: async () => {
        vpn.say(routing('10.0.0.0/8'))
        return stranger.request(VPN)
      },
      denied: { code: 'invalid_argument', text: OF_THE_POD },
      world,
    },
    {
      name: 'another service of the same domain',
      run: async () => {
        other.say(routing(METADATA))
        return client.request('kernel://other@east/nsm-2')
      },
      denied: { code: 'invalid_argument', text: /metadata/ },
      world,
    },
    ...[
      ['a wider prefix', '8.0.0.0/5', /wider/],
      ['the metadata service of another cloud', '100.100.100.200/32', /metadata/],
      ['loopback', '127.0.0.0/8', /no policy can allow/],
      ['multicast', '239.0.0.0/8', /no policy can allow/],
      ['"this network"', '0.0.0.0/8', /no policy can allow/],
      ['a default route', '0.0.0.0/0', /default-route=ipv4/],
    ].map(([name, prefix, text]) => ({
      name: `${name} by the service that a rule names`,
      run: async () => {
        vpn.say(routing(String(prefix)))
        return client.request(VPN)
      },
      denied: { code: 'invalid_argument' as const, text: new RegExp(text ?? '') },
      world,
    })),
  ])
})

describe('what an operator keeps off all wires', () => {
  const world = async () => [routesOf(client), [...near.kernel.namespace(client.namespace).links.keys()]]
  const said: readonly (readonly [string, (ip: IpContext) => IpContext])[] = [
    ['a route into the pod of the client', routing('172.31.0.10/32')],
    ['a wider one', routing('172.16.0.0/12')],
    ['an address of the client', (ip) => ({ ...ip, srcIpAddrs: [...ip.srcIpAddrs, 'fd96::a/128'] })],
    ['an address of the endpoint', (ip) => ({ ...ip, dstIpAddrs: [...ip.dstIpAddrs, '172.31.0.1/32'] })],
    ['a route of the endpoint', (ip) => ({ ...ip, dstRoutes: [...ip.dstRoutes, route('172.31.0.0/16')] })],
    [
      'a policy for the own packets of the client',
      (ip) => ({
        ...ip,
        policies: [
          { from: ip.srcIpAddrs[0] ?? '', proto: '', dstPort: '', srcPort: '', routes: [route('172.31.0.0/25')] },
        ],
      }),
    ],
  ]

  attacks('is refused', () => [
    ...said.map(([name, say]) => ({
      name,
      run: async () => {
        vpn.say(say)
        return client.request(VPN)
      },
      denied: {
        code: 'invalid_argument' as const,
        text: /(this node keeps it off all wires.*NSM_EXCLUDED_PREFIXES|the client or its node has excluded it)/,
      },
      world,
    })),
    {
      name: 'a route to it beside a default route that the client asked for',
      run: async () => {
        vpn.say(routing('172.31.0.10/32'))
        return client.request(VPN, asking({ srcRoutes: [route('0.0.0.0/1'), route('128.0.0.0/1')] }))
      },
      denied: { code: 'invalid_argument' as const, text: /the client or its node has excluded it/ },
      world,
    },
  ])

  test('is told the endpoint, whose pool leaves it out, and not the client', async () => {
    const pool = await far.endpoint({ service: 'pool', name: 'nse-pool', cidr: '172.31.0.0/23' })
    await east.export('pool')
    const request = () => client.request('kernel://pool@east/nsm-3', asking({ excludedPrefixes: ['172.31.1.0/31'] }))
    await until('the export', async () => (await request().catch(() => undefined)) !== undefined)
    const wire = await request()
    const { srcIpAddrs, dstIpAddrs, excludedPrefixes } = wire.context.ip
    expect([...srcIpAddrs, ...dstIpAddrs]).toEqual(['172.31.1.3/32', '172.31.1.2/32'])
    expect(excludedPrefixes).toEqual(['172.31.1.0/31'])
    expect(pool.server.served()[0]?.context.ip.excludedPrefixes).toEqual([
      '172.31.1.0/31',
      '172.31.0.0/24',
      'fd96::/112',
    ])
    await client.refresh(wire)
    await client.closeWire(wire)
  })
})

test('a client whose URL asks for a default route gets one, in halves beside its own', async () => {
  vpn.say((ip) => ip)
  const url = parseNsmUrl(`${VPN}?default-route=ipv4`)
  const wire = await client.send(firstRequest({ client: 'client', id: 'default', url, labels: {} }))
  expect(routesOf(client)).toEqual(expect.arrayContaining(['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1']))
  expect(routesOf(vpn, far)).not.toContain('0.0.0.0/1')
  await client.closeWire(await client.refresh(wire))
  expect(routesOf(client)).toEqual(['0.0.0.0/0'])
})

test('nsmctl policy why answers as the node decides', async () => {
  const root = await near.operator()
  const node = clientOf(nodeV1.NodeService, root.channel)
  const ask = (prefix: string, clientId = client.identity.current().svid.spiffeId) =>
    node.explainPolicy(
      {
        ...nodeV1.PolicyQuestion.fromPartial({ action: 'route', caller: clientId, networkService: 'vpn@east', prefix }),
      },
      { signal: AbortSignal.timeout(5_000) },
    )
  expect(await ask('10.1.0.0/16')).toMatchObject({ allowed: true, rule: 'vpn' })
  expect(await ask('11.0.0.0/8')).toMatchObject({
    allowed: false,
    rule: '',
    findings: [{ rule: 'vpn', finding: 'does not hold' }],
  })
  expect(await ask('10.1.0.0/16', 'spiffe://west/node/n1/uid/2000')).toMatchObject({ allowed: false })
})
