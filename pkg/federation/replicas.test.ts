/** Two replicas of one registry, which share nothing but the store. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeyAndCsr } from '../identity/index.ts'
import { callOf, type TestDomain, TestWorld } from './testing/index.ts'

const admin = callOf('')
let world: TestWorld
let east: TestDomain
let replica: TestDomain
let west: TestDomain

beforeEach(async () => {
  world = new TestWorld()
  east = await world.domain('east')
  replica = await world.replica(east)
  west = await world.domain('west')
})

afterEach(async () => {
  await world.scope.close()
  await world.settle()
  expect(world.clock.pending).toBe(0)
})

async function joinNode(at: TestDomain, token: string) {
  const csr = Buffer.from((await createKeyAndCsr()).csr)
  return at.authority.joinNode({ token, csr }, callOf(''))
}

const inviteNode = async (node = 'n1') => (await replica.domains.inviteNode({ node, lifetime: undefined }, admin)).token

test('introduce their domain in the same way', () => {
  expect(replica.trust.introduction).toEqual(east.trust.introduction)
})

test('accept a token of the other replica at once, and once in all', async () => {
  const token = await inviteNode()
  const tries = Array.from({ length: 20 }, (_, index) => joinNode(index % 2 === 0 ? east : replica, token))
  const results = await Promise.allSettled(tries)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'failed_precondition' })
  }
})

test('both trust a domain that joins at one, and neither a domain that one revokes', async () => {
  const { token } = await replica.domains.invite({ domain: 'west', lifetime: undefined }, admin)
  await west.domains.join({ token }, admin)
  await world.settle()
  expect(replica.trust.bundles().has('west')).toBe(true)
  await replica.domains.export({ service: 'files', domain: 'west' }, admin)
  await east.domains.export({ service: 'dns', domain: '*' }, admin)
  await world.settle()
  for (const { trust } of [east, replica]) expect(trust.exports().get('west')).toEqual(new Set(['dns', 'files']))
  await replica.domains.revoke({ name: 'west' }, admin)
  await world.settle()
  for (const { trust } of [east, replica])
    expect([trust.bundles().has('west'), trust.exports().size]).toEqual([false, 0])
})

test('keep all exports to one domain that are made through both at once', async () => {
  const { token } = await east.domains.invite({ domain: 'west', lifetime: undefined }, admin)
  await west.domains.join({ token }, admin)
  const services = Array.from({ length: 30 }, (_, index) => `s${index}`)
  const at = (index: number) => (index % 2 === 0 ? east : replica)
  await Promise.all(services.map((service, i) => at(i).domains.export({ service, domain: 'west' }, admin)))
  await world.settle()
  for (const { trust } of [east, replica]) expect(trust.exports().get('west')).toEqual(new Set(services.sort()))
})

test('refuse a node that the other replica revoked, also while it renews', async () => {
  await joinNode(east, await inviteNode())
  const node = callOf('spiffe://east/node/n1')
  const csr = Buffer.from((await createKeyAndCsr()).csr)
  const renewals = Array.from({ length: 5 }, () => replica.authority.renew({ csr }, node))
  await east.domains.revokeNode({ node: 'n1' }, admin)
  await Promise.allSettled(renewals)
  await world.settle()
  expect(replica.trust.isRevoked('spiffe://east/node/n1')).toBe(true)
  await expect(replica.authority.renew({ csr }, node)).rejects.toMatchObject({ code: 'permission_denied' })
})

test('notify nodes of revocations, and not of renewals and invitations', async () => {
  await joinNode(east, await inviteNode())
  await world.settle()
  let changes = 0
  replica.trust.subscribe(() => {
    changes += 1
  })
  const before = replica.trust.state()
  const csr = Buffer.from((await createKeyAndCsr()).csr)
  await east.authority.renew({ csr }, callOf('spiffe://east/node/n1'))
  await inviteNode('n2')
  await world.settle()
  expect([changes, replica.trust.state()]).toEqual([0, before])
  await east.domains.revokeNode({ node: 'n1' }, admin)
  await world.settle()
  expect(changes).toBe(1)
  expect(replica.trust.state().revision > before.revision).toBe(true)
})

test('keep the name of a node for the machine that is connected, at whichever of them, and tell both', async () => {
  await joinNode(east, await inviteNode())
  const watch = (at: TestDomain, instance: string) => {
    const stop = new AbortController()
    const call = callOf('spiffe://east/node/n1', stop.signal)
    const url = `tcp://192.0.2.${instance === 'a' ? 1 : 2}:5001`
    return { states: at.authority.watchTrust({ url, instance }, call)[Symbol.asyncIterator](), stop }
  }
  const namesakes = async () => {
    const lists = await Promise.all([east, replica].map(({ domains }) => domains.listNodes({}, admin)))
    return lists.flatMap(({ nodes }) => nodes.map(({ namesake }) => namesake))
  }
  const first = watch(east, 'a')
  expect((await first.states.next()).value).toMatchObject({ namesake: '' })
  const told = first.states.next()
  for (let seconds = 0; seconds < 20; seconds += 4) {
    const refused = watch(replica, 'b').states.next()
    await expect(refused).rejects.toMatchObject({ code: 'already_exists', fields: { at: 'tcp://192.0.2.1:5001' } })
    await world.settle()
    expect(await namesakes()).toEqual(['tcp://192.0.2.2:5001', 'tcp://192.0.2.2:5001'])
    await world.clock.advance(4_000)
  }
  expect((await told).value).toMatchObject({ namesake: 'tcp://192.0.2.2:5001' })
  await world.clock.advance(30_000)
  expect(await namesakes()).toEqual(['', ''])
  first.stop.abort()
  await first.states.return?.(undefined)
})

test('give the name of a node to another machine when the replica of the first is gone, and no sooner', async () => {
  await joinNode(east, await inviteNode())
  const enter = (at: TestDomain, instance: string) =>
    at.authority
      .watchTrust({ url: `tcp://192.0.2.${instance === 'a' ? 1 : 2}:5001`, instance }, callOf('spiffe://east/node/n1'))
      [Symbol.asyncIterator]()
      .next()
  await enter(east, 'a')
  await east.close() // as if killed: it gives nothing back
  await expect(enter(replica, 'b')).rejects.toMatchObject({ code: 'already_exists' })
  await world.clock.advance(2_000)
  await expect(enter(replica, 'b')).rejects.toMatchObject({ code: 'already_exists' })
  await world.clock.advance(1_000)
  expect(await enter(replica, 'b')).toMatchObject({ done: false })
})
