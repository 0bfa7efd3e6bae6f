import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Found, NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { createKeyAndCsr } from '../../pkg/identity/index.ts'
import { until } from '../lab/until.ts'
import { type NodeIdentity, RegistryProcess, soon } from './registry-process.ts'

let east: RegistryProcess
let west: RegistryProcess
let eastNode: NodeIdentity
let westNode: NodeIdentity

beforeAll(async () => {
  east = await RegistryProcess.prepare('east')
  west = await RegistryProcess.prepare('west')
  await Promise.all([east.start(), west.start()])
  ;[eastNode, westNode] = await Promise.all([east.joinNode('east-1'), west.joinNode('west-1')])
}, 60_000)

afterAll(async () => {
  await Promise.all([east?.close(), west?.close()])
})

const endpoint: NetworkServiceEndpoint = {
  name: 'nse-1',
  networkServiceNames: ['files', 'private'],
  networkServiceLabels: new Map([['files', { app: 'web' }]]),
  url: 'tcp://192.0.2.1:5001',
  expiresMs: undefined,
  registeredMs: undefined,
  pathIds: ['spiffe://east/node/east-1/uid/1000'],
}

async function findAcross(name: string): Promise<readonly Found<NetworkServiceEndpoint>[]> {
  const found: Found<NetworkServiceEndpoint>[] = []
  const query = { endpoint: { networkServiceNames: [name] }, watch: false }
  for await (const one of west.as(westNode.source).endpoints.find(query, soon())) found.push(one)
  return found
}

async function problem(of: RegistryProcess, domain: string): Promise<string> {
  const { domains } = await of.admin().domains.list({}, soon())
  return domains.find(({ name }) => name === domain)?.problem ?? 'not joined'
}

describe('two domains', () => {
  test('a node joins with a token and is a member from then on', async () => {
    expect(eastNode.answer.spiffeId).toBe('spiffe://east/node/east-1')
    const { nodes } = await east.admin().domains.listNodes({}, soon())
    expect(nodes).toMatchObject([{ name: 'east-1', spiffeId: 'spiffe://east/node/east-1', revoked: false }])
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    const member = east.as(eastNode.source)
    const workload = await member.authority.issueWorkload({ csr, path: 'uid/1000', dnsNames: [] }, soon())
    expect(workload.spiffeId).toBe('spiffe://east/node/east-1/uid/1000')
  })

  test('of 100 that show one token at the same time one joins', async () => {
    const { token } = await east.admin().domains.inviteNode({ node: 'crowd', lifetime: undefined }, soon())
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    const stranger = east.stranger(token)
    const tries = Array.from({ length: 100 }, () => stranger.authority.joinNode({ token, csr }, soon()))
    const results = await Promise.allSettled(tries)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'failed_precondition' })
    }
    await east.admin().domains.revokeNode({ node: 'crowd' }, soon())
  })

  test('refuse a stranger everything but to join', async () => {
    const { token } = await east.admin().domains.inviteNode({ node: 'nobody', lifetime: undefined }, soon())
    const { authority, domains, endpoints, federation } = east.stranger(token)
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    const refused = { code: 'unauthenticated' }
    await expect(authority.renew({ csr }, soon())).rejects.toMatchObject(refused)
    await expect(authority.issueWorkload({ csr, path: 'uid/0', dnsNames: [] }, soon())).rejects.toMatchObject(refused)
    await expect(endpoints.register(endpoint, soon())).rejects.toMatchObject(refused)
    await expect(federation.leave({}, soon())).rejects.toMatchObject(refused)
    await expect(domains.list({}, soon())).rejects.toMatchObject({ code: 'unimplemented' })
  })

  test('join by one token, once', async () => {
    const { token } = await east.admin().domains.invite({ domain: 'west', lifetime: undefined }, soon())
    const joined = await west.admin().domains.join({ token }, soon())
    expect(joined).toMatchObject({ name: 'east', addresses: [`127.0.0.1:${east.port}`] })
    await until(
      'both links to be well',
      async () => (await problem(west, 'east')) + (await problem(east, 'west')) === '',
      5_000,
    )
    await expect(west.admin().domains.join({ token }, soon())).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  test('show each other what they export, and nothing else', async () => {
    const member = east.as(eastNode.source)
    const registered = await member.endpoints.register(endpoint, soon())
    expect(registered.pathIds).toEqual(['spiffe://east/node/east-1/uid/1000', 'spiffe://east/node/east-1'])
    expect(await findAcross('files@east')).toEqual([])
    await east.admin().domains.export({ service: 'files', domain: 'west' }, soon())
    await systemClock.sleep(2_100) // an answer is remembered for 2 s
    expect(await findAcross('files@east')).toMatchObject([
      { value: { name: 'nse-1@east', networkServiceNames: ['files@east'], url: endpoint.url }, deleted: false },
    ])
    expect(await findAcross('private@east')).toEqual([])
    await expect(findAcross('files@north')).rejects.toMatchObject({ code: 'not_found' })
    await expect(findAcross(`${'x'.repeat(254)}@east`)).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('follow each other, also over a registry that dies and comes back with everything it had', async () => {
    const stop = new AbortController()
    const query = { endpoint: { networkServiceNames: ['files@east'] }, watch: true }
    const watch = west.as(westNode.source).endpoints.find(query, { signal: stop.signal })[Symbol.asyncIterator]()
    expect((await watch.next()).value).toMatchObject({ value: { name: 'nse-1@east' }, deleted: false })

    const before = await east.admin().domains.list({}, soon())
    expect(await east.stop('SIGKILL')).toBe('SIGKILL')
    expect(await findAcross('files@east')).toHaveLength(1)
    await east.start()
    expect((await east.admin().domains.list({}, soon())).domains).toMatchObject([
      { name: 'west', exportedServices: ['files'], joined: before.domains[0]?.joined },
    ])
    expect((await east.admin().domains.listNodes({}, soon())).nodes.map(({ name }) => name)).toEqual([
      'crowd',
      'east-1',
    ])

    const thief = west.as(westNode.source).endpoints.register({ ...endpoint, name: 'nse-1' }, soon())
    expect((await thief).pathIds).toEqual(['spiffe://west/node/west-1']) // its own domain's name, not east's
    await until('the link to be back', async () => (await problem(west, 'east')) === '', 5_000)
    await east.as(eastNode.source).endpoints.unregister(endpoint, soon())
    let last = (await watch.next()).value
    while (last?.deleted === false) last = (await watch.next()).value // the endpoint's life was extended
    expect(last).toMatchObject({ value: { name: 'nse-1@east' }, deleted: true })
    stop.abort()
    await expect(watch.next()).rejects.toBeDefined()
  })

  test('an expelled node is cut off at once', async () => {
    const member = east.as(eastNode.source)
    await member.endpoints.register(endpoint, soon())
    await east.admin().domains.revokeNode({ node: 'east-1' }, soon())
    await expect(member.endpoints.register(endpoint, soon())).rejects.toMatchObject({
      code: expect.stringMatching(/unauthenticated|unavailable/),
    })
    const left = []
    const all = { endpoint: {}, watch: false }
    for await (const found of east.admin().endpoints.find(all, soon())) left.push(found)
    expect(left).toEqual([])
  })

  test('part when one revokes the other', async () => {
    await east.admin().domains.revoke({ name: 'west' }, soon())
    expect((await east.admin().domains.list({}, soon())).domains).toEqual([])
    await until('the other side to have heard of it', async () => (await problem(west, 'east')) === 'not joined', 5_000)
    await expect(findAcross('files@east')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('end cleanly when told to', async () => {
    expect(await Promise.all([east.stop(), west.stop()])).toEqual([0, 0])
  })
})
