import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKeyAndCsr, keyProof, verifyExpiredSvid, verifySvid } from '../../identity/index.ts'
import { callOf, type TestDomain, TestWorld } from '../testing/index.ts'

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

const inviteDomain = async () => (await east.domains.invite({ domain: 'west', lifetime: undefined }, admin)).token

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

  test('lets in a node that shows its token', async () => {
    const { answer } = await joinNode()
    expect(answer).toMatchObject({ spiffeId: 'spiffe://east/node/n1', trust: { trustDomain: 'east', revoked: [] } })
    expect(verifySvid(answer.chain, east.trust.bundles(), world.clock.nowMs()).spiffeId.id).toBe(
      'spiffe://east/node/n1',
    )
    expect((await east.domains.listNodes({}, admin)).nodes).toMatchObject([{ name: 'n1', revoked: false }])
  })

  test('accepts a node token once, also from 100 callers at a time', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    const joins = Array.from({ length: 100 }, () => east.authority.joinNode({ token, csr }, callOf('')))
    const results = await Promise.allSettled(joins)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(east.authority.joinNode({ token, csr }, callOf(''))).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('does not use up the token when the request is malformed', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const bad = east.authority.joinNode({ token, csr: Buffer.from('no csr') }, callOf(''))
    await expect(bad).rejects.toMatchObject({ code: 'invalid_argument' })
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    await east.authority.joinNode({ token, csr }, callOf(''))
  })

  test('refuses tokens of other domains and tokens for domains', async () => {
    const { token } = await west.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const csr = Buffer.from((await createKeyAndCsr()).csr)
    for (const wrong of [token, await inviteDomain()]) {
      await expect(east.authority.joinNode({ token: wrong, csr }, callOf(''))).rejects.toMatchObject({
        code: 'permission_denied',
      })
    }
  })

  test('answers a node again that proves that it is the same, and nobody else', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    const { csr, privateKey } = await createKeyAndCsr()
    const shown = callOf('', undefined, (await keyProof(privateKey, world.clock)).chain)
    const join = (call = shown) => east.authority.joinNode({ token, csr: Buffer.from(csr) }, call)
    const first = await join()
    expect((await join()).spiffeId).toBe(first.spiffeId)
    const used = { code: 'failed_precondition', message: expect.stringContaining('used already') }
    await expect(join(callOf(''))).rejects.toMatchObject(used)
    const other = await createKeyAndCsr()
    const thief = callOf('', undefined, (await keyProof(other.privateKey, world.clock)).chain)
    await expect(join(thief)).rejects.toMatchObject(used)
    const stolen = east.authority.joinNode({ token, csr: Buffer.from(other.csr) }, thief)
    await expect(stolen).rejects.toMatchObject(used)
  })

  test.each(['revoked', 'joined with another token'])(
    'does not answer again a node that has %s since',
    async (what) => {
      const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
      const { csr, privateKey } = await createKeyAndCsr()
      const shown = callOf('', undefined, (await keyProof(privateKey, world.clock)).chain)
      await east.authority.joinNode({ token, csr: Buffer.from(csr) }, shown)
      await world.clock.advance(1_000)
      if (what === 'revoked') await east.domains.revokeNode({ node: 'n1' }, admin)
      else await joinNode()
      const again = east.authority.joinNode({ token, csr: Buffer.from(csr) }, shown)
      await expect(again).rejects.toMatchObject({ code: 'failed_precondition' })
    },
  )

  async function renew({ answer, csr }: Awaited<ReturnType<typeof joinNode>>) {
    const { expiresMs } = verifyExpiredSvid(answer.chain, east.trust.bundles(), world.clock.nowMs())
    const call = callOf(answer.spiffeId)
    return await east.authority.renew({ csr }, { ...call, peer: { ...call.peer, expiresMs } })
  }

  test('renews no identity from before the node joined again, however often it was renewed', async () => {
    const stolen = await joinNode()
    await world.clock.advance(60_000)
    const renewed = { ...stolen, answer: await renew(stolen) }
    await world.clock.advance(60_000)
    const present = await joinNode()
    for (const former of [stolen, renewed]) {
      await expect(renew(former)).rejects.toMatchObject({ code: 'permission_denied' })
    }
    const next = { ...present, answer: await renew(present) }
    await world.clock.advance(60_000)
    expect((await renew(next)).spiffeId).toBe('spiffe://east/node/n1')
  })

  test('renews nothing where the end of the identity is not known', async () => {
    const { csr } = await joinNode()
    const call = callOf('spiffe://east/node/n1')
    const { expiresMs: _, ...peer } = call.peer
    const renewal = east.authority.renew({ csr }, { ...call, peer })
    await expect(renewal).rejects.toMatchObject({ code: 'permission_denied' })
  })

  describe('asked by a node whose identity has expired', () => {
    const HOUR_MS = 3_600_000

    test.each([1, 24, 30 * 24])('renews it, %d hours later', async (hours) => {
      const node = await joinNode()
      await world.clock.advance((hours + 0.5) * HOUR_MS)
      expect((await renew(node)).spiffeId).toBe('spiffe://east/node/n1')
    })

    test.each([
      ['it was revoked', async () => void (await east.domains.revokeNode({ node: 'n1' }, admin))],
      ['its name is that of another machine now', async () => void (await joinNode())],
      ['that was too long ago', async () => void (await world.clock.advance(31 * 24 * HOUR_MS))],
    ])('refuses where %s', async (_, happen) => {
      const node = await joinNode()
      await world.clock.advance(2 * HOUR_MS)
      await happen()
      await expect(renew(node)).rejects.toMatchObject({ code: 'permission_denied' })
    })

    test('refuses a workload', async () => {
      const node = await joinNode()
      const path = { path: 'uid/1000', dnsNames: [] }
      const workload = await east.authority.issueWorkload({ csr: node.csr, ...path }, callOf('spiffe://east/node/n1'))
      await world.clock.advance(2 * HOUR_MS)
      await expect(renew({ ...node, answer: workload })).rejects.toMatchObject({ code: 'permission_denied' })
    })
  })

  test.each(['', 'UPPER', 'a/b', '-n', 'n'.repeat(64), '../n1', 'n1\n'])('invites no node named %j', async (node) => {
    await expect(east.domains.inviteNode({ node, lifetime: undefined }, admin)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  test('renews a node and issues identities below it, and no others', async () => {
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

  test('keeps the name of a node for the machine that is connected, and tells both', async () => {
    const watch = (instance: string, url: string) => {
      const stop = new AbortController()
      const call = callOf('spiffe://east/node/n1', stop.signal)
      return { states: east.authority.watchTrust({ url, instance }, call)[Symbol.asyncIterator](), stop }
    }
    const namesakes = async () => (await east.domains.listNodes({}, admin)).nodes.map(({ namesake }) => namesake)
    await joinNode()
    const first = watch('a', 'tcp://192.0.2.1:5001')
    expect((await first.states.next()).value).toMatchObject({ namesake: '' })
    const told = first.states.next()
    const refused = watch('b', 'tcp://192.0.2.2:5001').states.next()
    await expect(refused).rejects.toMatchObject({ code: 'already_exists', fields: { at: 'tcp://192.0.2.1:5001' } })
    expect((await told).value).toMatchObject({ namesake: 'tcp://192.0.2.2:5001' })
    const flooding = watch('b', `tcp://${'x'.repeat(100_000)}`).states.next()
    await expect(flooding).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(await namesakes()).toEqual(['tcp://192.0.2.2:5001'])
    expect(east.trust.records.get('node', 'n1')).toMatchObject({ url: 'tcp://192.0.2.1:5001' })

    const moved = watch('a', 'tcp://192.0.2.3:5001') // while the former stream is not known to be dead
    await moved.states.next()
    expect(east.trust.records.get('node', 'n1')).toMatchObject({ url: 'tcp://192.0.2.3:5001' })
    await world.clock.advance(30_000)
    expect(await namesakes()).toEqual([''])

    for (const { states, stop } of [first, moved]) {
      stop.abort()
      while (!(await states.next()).done);
    }
    const successor = watch('b', 'tcp://192.0.2.2:5001')
    expect((await successor.states.next()).value).toMatchObject({ namesake: '' })
    successor.stop.abort()
    await successor.states.next()
  })

  test('lets no second machine join under the name of one that is connected, however often it is invited', async () => {
    await joinNode()
    const stop = new AbortController()
    const run = { url: 'tcp://192.0.2.1:5001', instance: 'a' }
    const watch = east.authority.watchTrust(run, callOf('spiffe://east/node/n1', stop.signal))[Symbol.asyncIterator]()
    await watch.next()
    await expect(joinNode()).rejects.toMatchObject({ code: 'already_exists', fields: { at: run.url } })
    await east.authority.renew({ csr: Buffer.from((await createKeyAndCsr()).csr) }, callOf('spiffe://east/node/n1'))
    stop.abort()
    while (!(await watch.next()).done);
    await joinNode()
  })

  test('takes a daemon that was started again for no other machine, however late its former connection ends', async () => {
    await joinNode()
    const watch = (instance: string) => {
      const stop = new AbortController()
      const call = callOf('spiffe://east/node/n1', stop.signal)
      const states = east.authority.watchTrust({ url: 'tcp://192.0.2.1:5001', instance }, call)[Symbol.asyncIterator]()
      return { states, stop }
    }
    const former = watch('a')
    await former.states.next()
    const again = watch('b')
    const entered = again.states.next()
    await world.clock.advance(500)
    former.stop.abort()
    while (!(await former.states.next()).done);
    expect((await entered).value).toMatchObject({ namesake: '' })

    const copied = watch('c').states.next() // with its address, and the other one stays
    const refusal = expect(copied).rejects.toMatchObject({ code: 'already_exists' })
    await world.clock.advance(3_000)
    await refusal
    again.stop.abort()
    while (!(await again.states.next()).done);
  })

  test('streams the trust state to nodes of the domain, and to nobody else', async () => {
    const stop = new AbortController()
    const watch = east.authority
      .watchTrust({ url: '', instance: '' }, callOf('spiffe://east/node/n1', stop.signal))
      [Symbol.asyncIterator]()
    const first = (await watch.next()).value
    expect(first).toMatchObject({ trustDomain: 'east', domains: [] })
    await west.domains.join({ token: await inviteDomain() }, admin)
    await world.clock.advance(1_000)
    await east.domains.export({ service: 'files', domain: '*' }, admin)
    const next = (await watch.next()).value
    expect(next).toMatchObject({ domains: [{ trustDomain: 'west', exportedServices: ['files'] }] })
    expect(next.revision > first.revision).toBe(true)
    stop.abort()
    expect((await watch.next()).done).toBe(true)
    const stranger = east.authority
      .watchTrust({ url: '', instance: '' }, callOf('spiffe://west/node/n1'))
      [Symbol.asyncIterator]()
    await expect(stranger.next()).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
