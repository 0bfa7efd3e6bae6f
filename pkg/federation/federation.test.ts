import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKeyAndCsr, verifySvid } from '../identity/index.ts'
import { decodeToken, encodeToken } from './joining/token.ts'
import { callOf, type TestDomain, TestWorld } from './testing/index.ts'
import { admitDomain, updateDomain } from './trust/joined-domains.ts'

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

async function invite(domain: TestDomain, seconds = 60): Promise<string> {
  const { token } = await domain.domains.invite({ lifetime: { seconds: BigInt(seconds), nanos: 0 } }, admin)
  return token
}

async function joined(): Promise<void> {
  await west.domains.join({ token: await invite(east) }, admin)
  await world.clock.advance(1_000) // one side knows first, and calls before the other one does
}

const names = async (domain: TestDomain) => (await domain.domains.list({}, admin)).domains.map(({ name }) => name)

describe('joining a domain', () => {
  test('makes both know each other, with addresses and authorities, and a link that is well', async () => {
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

  test('works once per token, whoever else comes, and one by one', async () => {
    const token = await invite(east)
    const others = await Promise.all(Array.from({ length: 100 }, (_, index) => world.domain(`d${index}`)))
    const results = await Promise.allSettled(others.map(({ domains }) => domains.join({ token }, admin)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'failed_precondition' })
    }
    expect(await names(east)).toHaveLength(1)
  })

  test('refuses an expired token here and there, and says what to do', async () => {
    const token = await invite(east)
    await world.clock.advance(60_000)
    const expired = { code: 'failed_precondition', next: expect.stringContaining('nsmctl domain invite') }
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject(expired)
    const secret = decodeToken(token).secret
    await expect(east.federation.accept({ secret, introduction: undefined }, callOf(''))).rejects.toMatchObject(expired)
  })

  test.each([
    ['its own token', async () => invite(west), 'invalid_argument'],
    [
      'the token of a node',
      async () => (await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)).token,
      'invalid_argument',
    ],
    ['no token', async () => 'hello', 'invalid_argument'],
    [
      'a token with a secret of its own',
      async () => encodeToken({ ...decodeToken(await invite(east)), secret: Buffer.alloc(32).toString('base64url') }),
      'permission_denied',
    ],
    [
      'a token that pins somebody else',
      async () =>
        encodeToken({ ...decodeToken(await invite(east)), fingerprint: Buffer.alloc(32).toString('base64url') }),
      'unauthenticated',
    ],
  ])('refuses %s and keeps nothing', async (_, token, code) => {
    await expect(west.domains.join({ token: await token() }, admin)).rejects.toMatchObject({ code })
    expect([await names(west), await names(east)]).toEqual([[], []])
  })

  test('leaves the token good when the other registry is away', async () => {
    const token = await invite(east)
    east.isAway = true
    await expect(west.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'unavailable' })
    east.isAway = false
    await west.domains.join({ token }, admin)
  })

  test('takes the same domain again and refuses another one of its name', async () => {
    await joined()
    await west.domains.join({ token: await invite(east) }, admin)
    const impostor = await world.domain('west', 'elsewhere:1')
    const token = await invite(east)
    await expect(impostor.domains.join({ token }, admin)).rejects.toMatchObject({ code: 'already_exists' })
    expect(Buffer.from(east.trust.bundles().get('west')?.[0] ?? [])).toEqual(Buffer.from(west.authorityKey.certificate))
    // Refused without being used up.
    expect(await (await world.domain('north')).domains.join({ token }, admin)).toMatchObject({ name: 'east' })
  })
})

describe('revoking a domain', () => {
  test('takes effect here at once and there as soon as it hears of it', async () => {
    await joined()
    await east.domains.export({ service: 'files', domain: 'west' }, admin)
    await east.domains.revoke({ name: 'west' }, admin)
    expect(east.trust.bundles().has('west')).toBe(false)
    expect(east.trust.exports().has('west')).toBe(false)
    await joined()
    expect(await names(east)).toEqual(['west'])
    expect(east.trust.exports().get('west')).toEqual(new Set())
  })

  test('is told to the other side if that answers, and works if it does not', async () => {
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

  test('of an unknown domain says so', async () => {
    await expect(east.domains.revoke({ name: 'nowhere' }, admin)).rejects.toMatchObject({ code: 'not_found' })
    expect(() => east.links.channelTo('nowhere')).toThrow(/has not joined/)
  })
})

describe('following a domain', () => {
  test('takes newer authorities and no older ones', async () => {
    await joined()
    const renewed = {
      ...west.trust.introduction,
      addresses: ['new.test:5002'],
      revision: west.trust.introduction.revision + 1,
    }
    expect(await updateDomain(east.trust.records, renewed)).toBe(true)
    expect(await updateDomain(east.trust.records, west.trust.introduction)).toBe(false)
    expect(east.trust.joinedDomain('west')?.introduction.addresses).toEqual(['new.test:5002'])
  })

  test('reports a registry that went away and forgets that when it is back', async () => {
    west.isAway = true
    await admitDomain(east.trust.records, west.trust.introduction, 0)
    await admitDomain(west.trust.records, east.trust.introduction, 0)
    await world.settle()
    expect(east.links.problemOf('west')).toContain('Cannot connect')
    west.isAway = false
    await world.clock.advance(30_000)
    await world.settle()
    expect(east.links.problemOf('west')).toBe('')
  })

  test.each(['spiffe://west/node/n1', 'spiffe://north/registry', 'spiffe://east/registry', ''])(
    'is refused to %j',
    async (id) => {
      await joined()
      const watch = east.federation.watchBundle({}, callOf(id))[Symbol.asyncIterator]()
      await expect(watch.next()).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(east.federation.leave({}, callOf(id))).rejects.toMatchObject({ code: 'permission_denied' })
    },
  )
})

describe('exports', () => {
  test('to one domain and to all, also to those that join later', async () => {
    await joined()
    await east.domains.export({ service: 'files', domain: 'west' }, admin)
    await east.domains.export({ service: 'dns', domain: '*' }, admin)
    const north = await world.domain('north')
    await north.domains.join({ token: await invite(east) }, admin)
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

describe('the authority', () => {
  async function joinNode(node = 'n1') {
    const { token } = await east.domains.inviteNode({ node, lifetime: undefined }, admin)
    const { csr } = await createKeyAndCsr()
    return {
      token,
      csr: Buffer.from(csr),
      answer: await east.authority.joinNode({ token, csr: Buffer.from(csr) }, callOf('')),
    }
  }

  test('makes a node of who shows its token', async () => {
    const { answer } = await joinNode()
    expect(answer).toMatchObject({ spiffeId: 'spiffe://east/node/n1', trust: { trustDomain: 'east', revoked: [] } })
    expect(verifySvid(answer.chain, east.trust.bundles(), world.clock.nowMs()).spiffeId.id).toBe(
      'spiffe://east/node/n1',
    )
    expect((await east.domains.listNodes({}, admin)).nodes).toMatchObject([{ name: 'n1', revoked: false }])
  })

  test('takes a node token once, also from 100 at a time', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    const joins = Array.from({ length: 100 }, () => east.authority.joinNode({ token, csr }, callOf('')))
    const results = await Promise.allSettled(joins)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(east.authority.joinNode({ token, csr }, callOf(''))).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('keeps the token good when the request is bad', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const bad = east.authority.joinNode({ token, csr: Buffer.from('no csr') }, callOf(''))
    await expect(bad).rejects.toMatchObject({ code: 'invalid_argument' })
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    await east.authority.joinNode({ token, csr }, callOf(''))
  })

  test('refuses tokens of other domains and of domains', async () => {
    const { token } = await west.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    for (const wrong of [token, await invite(east)]) {
      await expect(east.authority.joinNode({ token: wrong, csr }, callOf(''))).rejects.toMatchObject({
        code: 'permission_denied',
      })
    }
  })

  test.each(['', 'UPPER', 'a/b', '-n', 'n'.repeat(64), '../n1', 'n1\n'])('invites no node named %j', async (node) => {
    await expect(east.domains.inviteNode({ node, lifetime: undefined }, admin)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  test('renews a node and issues below it, and nothing else', async () => {
    const { csr } = await joinNode()
    const node = callOf('spiffe://east/node/n1')
    expect((await east.authority.renew({ csr }, node)).spiffeId).toBe('spiffe://east/node/n1')
    const workload = await east.authority.issueWorkload({ csr, path: 'uid/1000', dnsNames: ['n1', 'web.n1'] }, node)
    expect(workload.spiffeId).toBe('spiffe://east/node/n1/uid/1000')
    for (const path of ['', '/', '../n2', 'uid//0', 'uid/0/', 'uid/%2e', '.']) {
      await expect(east.authority.issueWorkload({ csr, path, dnsNames: [] }, node)).rejects.toMatchObject({
        code: 'invalid_argument',
      })
    }
    const named = east.authority.issueWorkload({ csr, path: 'uid/0', dnsNames: ['n2'] }, node)
    await expect(named).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test.each([
    'spiffe://east/node/n1/uid/0',
    'spiffe://east/registry',
    'spiffe://west/node/n1',
    'spiffe://east/node/unknown',
    '',
  ])('refuses to renew %j', async (id) => {
    const { csr } = await joinNode()
    await expect(east.authority.renew({ csr }, callOf(id))).rejects.toMatchObject({ code: 'permission_denied' })
  })

  test('revokes a node with everything on it', async () => {
    const { csr } = await joinNode()
    await east.domains.revokeNode({ node: 'n1' }, admin)
    expect(east.revoked).toEqual(['spiffe://east/node/n1'])
    expect(east.trust.isRevoked('spiffe://east/node/n1')).toBe(true)
    expect(east.trust.isRevoked('spiffe://east/node/n1/uid/0')).toBe(true)
    expect(east.trust.isRevoked('spiffe://east/node/n10')).toBe(false)
    expect(east.trust.state().revoked).toEqual(['spiffe://east/node/n1'])
    const node = callOf('spiffe://east/node/n1')
    await expect(east.authority.renew({ csr }, node)).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(east.authority.issueWorkload({ csr, path: 'uid/0', dnsNames: [] }, node)).rejects.toMatchObject({
      code: 'permission_denied',
    })
    await expect(east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)).rejects.toMatchObject({
      code: 'failed_precondition',
    })
    await world.clock.advance(2 * 3_600_000)
    expect((await joinNode()).answer.trust?.revoked).toEqual([])
  })

  test('tells nodes of the domain, and nobody else, whom to trust', async () => {
    const stop = new AbortController()
    const watch = east.authority.watchTrust({}, callOf('spiffe://east/node/n1', stop.signal))[Symbol.asyncIterator]()
    const first = (await watch.next()).value
    expect(first).toMatchObject({ trustDomain: 'east', domains: [] })
    await joined()
    await east.domains.export({ service: 'files', domain: '*' }, admin)
    const next = (await watch.next()).value
    expect(next).toMatchObject({ domains: [{ trustDomain: 'west', exportedServices: ['files'] }] })
    expect(next.revision > first.revision).toBe(true)
    stop.abort()
    expect((await watch.next()).done).toBe(true)
    const stranger = east.authority.watchTrust({}, callOf('spiffe://west/node/n1'))[Symbol.asyncIterator]()
    await expect(stranger.next()).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
