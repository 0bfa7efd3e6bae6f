import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Call, domainV1 } from '../api/index.ts'
import { decodeToken, encodeToken } from './joining/token.ts'
import { callOf, type TestDomain, TestWorld } from './testing/index.ts'
import { revokedOf } from './trust/introduction.ts'
import { admitDomain, updateDomain } from './trust/joined-domains.ts'
import { admitNode } from './trust/nodes.ts'

const admin = callOf('')
let world: TestWorld
let east: TestDomain
let west: TestDomain

beforeEach(async () => {
  world = new TestWorld()
  east = await world.domain('east')
  west = await world.domain('west')
})

afterEach(async () => {
  await world.scope.close()
  await world.settle()
  expect(world.clock.pending).toBe(0)
})

async function invite(by: TestDomain, domain = 'west', seconds = 60): Promise<string> {
  const { token } = await by.domains.invite({ domain, lifetime: { seconds: BigInt(seconds), nanos: 0 } }, admin)
  return token
}

async function joined(): Promise<void> {
  await west.domains.join({ token: await invite(east) }, admin)
  await world.clock.advance(1_000) // one side knows first, and calls before the other one does
}

const speaker = { isVouchedForBy: () => true }
const names = async (domain: TestDomain) => (await domain.domains.list({}, admin)).domains.map(({ name }) => name)

describe('joining a domain', () => {
  test('lets both know each other, with addresses and authorities, and follow each other', async () => {
    const answer = await west.domains.join({ token: await invite(east) }, admin)
    expect(answer).toMatchObject({ name: 'east', addresses: ['east.test:5002'], exportedServices: [] })
    await world.clock.advance(1_000)
    expect(await west.domains.list({}, admin)).toMatchObject({
      ownName: 'west',
      domains: [{ name: 'east', problem: '' }],
    })
    expect(await east.domains.list({}, admin)).toMatchObject({
      ownName: 'east',
      domains: [{ name: 'west', problem: '' }],
    })
    expect(west.trust.bundles().get('east')?.map(Buffer.from)).toEqual([Buffer.from(east.authorityKey.certificate)])
    expect(east.trust.bundles().get('west')?.map(Buffer.from)).toEqual([Buffer.from(west.authorityKey.certificate)])
  })

  test('works once per token, whoever else comes at the same time', async () => {
    const token = await invite(east)
    const others = await Promise.all(
      Array.from({ length: 100 }, (_, index) => world.domain('west', `w${index}.test:1`)),
    )
    const results = await Promise.allSettled(others.map(({ domains }) => domains.join({ token }, admin)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason.code).toMatch(/failed_precondition|already_exists/)
    }
    expect(await names(east)).toHaveLength(1)
  })

  test('refuses an expired token on both sides, and says what to do', async () => {
    const token = await invite(east)
    await world.clock.advance(60_000)
    const expired = { code: 'failed_precondition', next: expect.stringContaining('nsmctl domain invite') }
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject(expired)
    const secret = decodeToken(token).secret
    await expect(east.federation.accept({ secret, introduction: undefined }, callOf(''))).rejects.toMatchObject(expired)
  })

  test.each([
    ['its own token', async () => invite(west, 'east'), 'invalid_argument'],
    ['the token of another domain', async () => invite(east, 'north'), 'permission_denied'],
    [
      'the token of a node',
      async () => (await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)).token,
      'invalid_argument',
    ],
    ['no token', async () => 'hello', 'invalid_argument'],
    [
      'a token with another secret',
      async () => encodeToken({ ...decodeToken(await invite(east)), secret: Buffer.alloc(32).toString('base64url') }),
      'permission_denied',
    ],
    [
      'a token that pins another authority',
      async () =>
        encodeToken({ ...decodeToken(await invite(east)), fingerprint: Buffer.alloc(32).toString('base64url') }),
      'unauthenticated',
    ],
  ])('refuses %s and stores nothing', async (_, token, code) => {
    await expect(west.domains.join({ token: await token() }, admin)).rejects.toMatchObject({ code })
    expect([await names(west), await names(east)]).toEqual([[], []])
  })

  test('does not use up the token when the other registry is away', async () => {
    const token = await invite(east)
    east.isAway = true
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'unavailable' })
    east.isAway = false
    await west.domains.join({ token }, admin)
  })

  test('gives another answer to the domain that did not get the first one, and to nobody else', async () => {
    const token = await invite(east)
    east.losesAnswers = true
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'unavailable' })
    east.losesAnswers = false
    const impostor = await world.domain('west', 'elsewhere:1')
    await expect(impostor.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'already_exists' })
    expect(await west.domains.join({ token }, admin)).toMatchObject({ name: 'east' })
    expect([await names(west), await names(east)]).toEqual([['east'], ['west']])
    await east.domains.revoke({ name: 'west' }, admin)
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await names(east)).toEqual([])
  })

  test('accepts the same domain again and refuses another one of its name', async () => {
    await joined()
    await west.domains.join({ token: await invite(east) }, admin)
    const impostor = await world.domain('west', 'elsewhere:1')
    const token = await invite(east)
    await expect(impostor.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'already_exists' })
    expect(Buffer.from(east.trust.bundles().get('west')?.[0] ?? [])).toEqual(Buffer.from(west.authorityKey.certificate))
    // Refused without being used up.
    expect(await west.domains.join({ token }, admin)).toMatchObject({ name: 'east' })
  })
})

describe('revoking a domain', () => {
  test('takes effect here at once, and there as soon as it is notified', async () => {
    await joined()
    await east.domains.export({ service: 'files', domain: 'west' }, admin)
    await east.domains.revoke({ name: 'west' }, admin)
    expect(east.trust.bundles().has('west')).toBe(false)
    expect(east.trust.exports().has('west')).toBe(false)
    await joined()
    expect(await names(east)).toEqual(['west'])
    expect(east.trust.exports().get('west')).toEqual(new Set())
  })

  test('works also when the other side cannot be notified', async () => {
    await joined()
    west.isAway = true
    await east.domains.revoke({ name: 'west' }, admin)
    await world.settle()
    expect(await names(east)).toEqual([])
    expect(await names(west)).toEqual(['east'])
    west.isAway = false
    await world.clock.advance(30_000)
    expect((await west.domains.list({}, admin)).domains[0]?.problem).not.toBe('')
  })

  test('refuses an unknown domain', async () => {
    await expect(east.domains.revoke({ name: 'nowhere' }, admin)).rejects.toMatchObject({ code: 'not_found' })
    expect(() => east.registries.channelTo('nowhere')).toThrow(/has not joined/)
  })
})

describe('following a domain', () => {
  test('accepts newer authorities and no older ones', async () => {
    await joined()
    const renewed = {
      ...west.trust.introduction,
      addresses: ['new.test:5002'],
      revision: west.trust.introduction.revision + 1,
    }
    const nowMs = world.clock.nowMs()
    expect(await updateDomain(east.trust.records, renewed, nowMs)).toBe(true)
    expect(await updateDomain(east.trust.records, west.trust.introduction, nowMs)).toBe(false)
    expect(east.trust.joinedDomain('west')?.introduction.addresses).toEqual(['new.test:5002'])
  })

  test('takes what its registry says after a revision that lies in the future', async () => {
    await joined()
    const poisoned = { ...west.trust.introduction, addresses: ['dead.test:1'], revision: Number.MAX_SAFE_INTEGER }
    await updateDomain(east.trust.records, poisoned, world.clock.nowMs())
    expect(await updateDomain(east.trust.records, west.trust.introduction, world.clock.nowMs())).toBe(true)
    expect(east.trust.joinedDomain('west')?.introduction).toEqual(west.trust.introduction)
  })

  test('reports a registry that is away until it is back', async () => {
    west.isAway = true
    await admitDomain(east.trust.records, west.trust.introduction, { speaker, nowMs: 0 })
    await admitDomain(west.trust.records, east.trust.introduction, { speaker, nowMs: 0 })
    await world.settle()
    expect(east.registries.problemOf('west')).toContain('Cannot connect')
    west.isAway = false
    await world.clock.advance(30_000)
    await world.settle()
    expect(east.registries.problemOf('west')).toBe('')
  })

  test.each(['spiffe://west/node/n1', 'spiffe://north/registry', 'spiffe://east/registry', ''])(
    'is refused to %j',
    async (id) => {
      await joined()
      const watch = east.federation.watchBundle({ introduction: undefined }, callOf(id))[Symbol.asyncIterator]()
      await expect(watch.next()).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(east.federation.leave({}, callOf(id))).rejects.toMatchObject({ code: 'permission_denied' })
    },
  )
})

describe('nodes that are revoked', () => {
  const isRevokedAt = (domain: TestDomain, id: string) => domain.trust.isRevoked(id)

  async function joinAndRevoke(...nodes: string[]): Promise<void> {
    for (const node of nodes) {
      await admitNode(west.trust.records, node, world.clock.nowMs())
      await west.domains.revokeNode({ node }, admin)
    }
    await world.settle()
  }

  test('are revoked in the other domain at once, with their workloads, and no others', async () => {
    await joined()
    await joinAndRevoke('n1')
    const ids = ['n1', 'n1/uid/0', 'n10', 'n2'].map((path) => `spiffe://west/node/${path}`)
    expect(ids.map((id) => isRevokedAt(east, id))).toEqual([true, true, false, false])
    expect(isRevokedAt(east, 'spiffe://east/node/n1')).toBe(false)
    expect(east.trust.state().revoked).toEqual(['spiffe://west/node/n1'])
  })

  test('are heard of by a domain that joins later, or was away', async () => {
    await joinAndRevoke('n1')
    await joined()
    expect(isRevokedAt(east, 'spiffe://west/node/n1')).toBe(true)
    west.isAway = true
    await joinAndRevoke('n2')
    west.isAway = false
    await world.clock.advance(30_000)
    await world.settle()
    expect(isRevokedAt(east, 'spiffe://west/node/n2')).toBe(true)
  })

  test('are one word in the introduction of a domain that joins, however many they are', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `node-${index}`)
    await joinAndRevoke(...names)
    const accepted: number[] = []
    const { accept } = east.federation
    Object.assign(east.federation, {
      accept: (request: domainV1.AcceptRequest, call: Call) => {
        accepted.push(domainV1.AcceptRequest.encode(request).finish().length)
        return accept(request, call)
      },
    })
    await joined()
    expect(accepted[0]).toBeLessThan(2_000)
    await world.clock.advance(30_000)
    await world.settle()
    expect(east.trust.joinedDomain('west')?.introduction.revoked).toHaveLength(300)
  })

  test('are every node of the domain where there are too many to name', async () => {
    const names = Array.from({ length: 2_001 }, (_, index) => `n${index}`)
    expect(revokedOf(names)).toEqual(['*'])
    expect(revokedOf(names.slice(1))).toHaveLength(2_000)
    expect(revokedOf(['n1', '*'])).toEqual(['*'])
    expect(revokedOf(['a/b', 'n1', '', 'n1'])).toEqual(['n1'])
    await joined()
    await updateDomain(east.trust.records, { ...west.trust.introduction, revoked: ['*'] }, world.clock.nowMs())
    const ids = ['node/any', 'node/any/uid/0', 'registry'].map((path) => `spiffe://west/${path}`)
    expect(ids.map((id) => isRevokedAt(east, id))).toEqual([true, true, false])
  })

  test('are no longer told of when none of their identities can be valid', async () => {
    await joinAndRevoke('n1')
    expect(west.trust.introduction.revoked).toEqual(['n1'])
    await world.clock.advance(66 * 60_000)
    expect(west.trust.introduction.revoked).toEqual([])
    expect(isRevokedAt(west, 'spiffe://west/node/n1')).toBe(true)
  })
})

describe('exports', () => {
  test('to one domain and to all, also to those that join later', async () => {
    await joined()
    await east.domains.export({ service: 'files', domain: 'west' }, admin)
    await east.domains.export({ service: 'dns', domain: '*' }, admin)
    const north = await world.domain('north')
    await north.domains.join({ token: await invite(east, 'north') }, admin)
    expect(east.trust.exports()).toEqual(
      new Map([
        ['north', new Set(['dns'])],
        ['west', new Set(['dns', 'files'])],
      ]),
    )
    await east.domains.unexport({ service: 'files', domain: 'west' }, admin)
    expect(east.trust.exports().get('west')).toEqual(new Set(['dns']))
  })

  test.each([
    ['export', 'files', 'nowhere', 'not_found'],
    ['export', '', '*', 'invalid_argument'],
    ['export', '*', '*', 'invalid_argument'],
    ['export', 'files@west', '*', 'invalid_argument'],
    ['unexport', 'files', '*', 'not_found'],
  ] as const)('%s of %j to %j: %s', async (method, service, domain, code) => {
    await expect(east.domains[method]({ service, domain }, admin)).rejects.toMatchObject({ code })
  })
})
