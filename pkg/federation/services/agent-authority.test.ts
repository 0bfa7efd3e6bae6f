import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { Authority, createAuthorityMaterial } from '../../identity/index.ts'
import { isRoutable } from '../../net/index.ts'
import { nodeId, registryId } from '../../policy/index.ts'
import { callOf, type TestDomain, TestWorld } from '../testing/index.ts'
import { ConnectedNodes } from '../trust/connected-nodes.ts'
import { NodeAddresses } from '../trust/node-addresses.ts'
import { Trust } from '../trust/trust.ts'
import { agentAuthorityHandlers } from './agent-authority.ts'
import type { AuthorityHandlers } from './authority-service.ts'

const admin = callOf('')
let world: TestWorld
let east: TestDomain
let authority: AuthorityHandlers

beforeEach(async () => {
  world = new TestWorld()
  east = await world.domain('east')
  const { records } = east.trust
  const nodes = new NodeAddresses({ records, domain: 'east', reach: isRoutable })
  const connected = world.scope.own(
    new ConnectedNodes({ records: east.trust.records, clock: world.clock, logger: silentLogger }),
  )
  authority = agentAuthorityHandlers({ trust: east.trust, nodes, connected, clock: world.clock, logger: silentLogger })
})

afterEach(async () => {
  await world.scope.close()
  await world.settle()
  expect(world.clock.pending).toBe(0)
})

const nextState = async (caller: string, url = '') => {
  const stop = new AbortController()
  const watch = authority.watchTrust({ url, instance: '' }, callOf(caller, stop.signal))[Symbol.asyncIterator]()
  const { value } = await watch.next()
  stop.abort()
  await watch.return?.()
  return value
}

const nodes = async () => (await east.domains.listNodes({}, admin)).nodes

test('an agent of others issues the identities, and the registry says so', async () => {
  const refused = { code: 'failed_precondition', next: expect.stringContaining('SPIFFE_ENDPOINT_SOCKET') }
  const csr = Buffer.alloc(0)
  await expect(authority.joinNode({ token: '', csr }, callOf(''))).rejects.toMatchObject(refused)
  await expect(authority.renew({ csr }, callOf(nodeId('east', 'n1')))).rejects.toMatchObject(refused)
  const workload = authority.issueWorkload({ csr, path: 'uid/0', dnsNames: [] }, callOf(nodeId('east', 'n1')))
  await expect(workload).rejects.toMatchObject(refused)
})

test('a node is known from its first call on, and stays revoked', async () => {
  expect(await nextState(nodeId('east', 'n1'), 'tcp://192.0.2.1:5001')).toMatchObject({
    trustDomain: 'east',
    revoked: [],
  })
  expect(await nodes()).toMatchObject([{ name: 'n1', revoked: false }])
  expect(east.trust.records.get('node', 'n1')?.url).toBe('tcp://192.0.2.1:5001')
  await east.domains.revokeNode({ node: 'n1' }, admin)
  await world.clock.advance(7_200_000)
  await nextState(nodeId('east', 'n1'))
  expect(await nodes()).toMatchObject([{ name: 'n1', revoked: true }])
})

test('other domains hear for good of a revoked node, whose identity another agent renews', async () => {
  const { records } = east.trust
  const who = { records, domain: 'east', authorities: [east.authorityKey.certificate], addresses: [east.address] }
  const rules = { reach: isRoutable, longestIdentityMs: Number.POSITIVE_INFINITY, clock: world.clock }
  const trust = world.scope.own(await Trust.open({ ...who, ...rules }))
  for (const name of ['n1', 'n2']) await nextState(nodeId('east', name))
  expect(trust.introduction.revoked).toEqual([])
  await east.domains.revokeNode({ node: 'n1' }, admin)
  await world.clock.advance(7_200_000)
  expect([trust.introduction.revoked, east.trust.introduction.revoked]).toEqual([['n1'], []])
})

test.each([registryId('east'), 'spiffe://east/ns/default/sa/web', `${nodeId('east', 'n1')}/uid/0`])(
  '%s is no node',
  async (caller) => {
    await nextState(caller)
    expect(await nodes()).toEqual([])
  },
)

test('nodes of another domain are told nothing and noted nowhere', async () => {
  await expect(nextState(nodeId('west', 'n1'))).rejects.toMatchObject({ code: 'permission_denied' })
  expect(await nodes()).toEqual([])
})

test('nodes and other domains hear of a new authority', async () => {
  const west = await world.domain('west')
  await west.domains.join(
    { token: (await east.domains.invite({ domain: 'west', lifetime: undefined }, admin)).token },
    admin,
  )
  await world.clock.advance(1_000)
  const { certificate } = new Authority(await createAuthorityMaterial('east', world.clock), world.clock)
  const authorities = [certificate, east.authorityKey.certificate]
  await east.trust.setAuthorities(authorities)
  await world.settle()
  const wanted = authorities.map((der) => Buffer.from(der))
  expect((await nextState(nodeId('east', 'n1')))?.authorities.map(Buffer.from)).toEqual(wanted)
  expect(east.trust.bundles().get('east')?.map(Buffer.from)).toEqual(wanted)
  expect(west.trust.bundles().get('east')?.map(Buffer.from)).toEqual(wanted)
})
