/**
 * A registry dies at every write of every operation, before the write and after it, and starts again on what is stored.
 * Nothing may be trusted that was not granted, no token may be good twice, and the operator can finish the work.
 */
import { expect, test } from 'vitest'
import { errorCode } from '../base/index.ts'
import { createKeyAndCsr } from '../identity/index.ts'
import { decodeToken } from './joining/token.ts'
import { callOf, type Death, type TestDomain, TestWorld } from './testing/index.ts'

const admin = callOf('')
const hour = { seconds: 3_600n, nanos: 0 }

interface Scene {
  readonly world: TestWorld
  readonly east: TestDomain
  readonly west: TestDomain
}

async function inScene(act: (scene: Scene) => Promise<void>): Promise<void> {
  const world = new TestWorld()
  try {
    await act({ world, east: await world.domain('east'), west: await world.domain('west') })
  } finally {
    await world.scope.close()
    await world.settle()
    expect(world.clock.pending).toBe(0)
  }
}

interface Operation<T> {
  readonly prepare: (scene: Scene) => Promise<T>
  readonly run: (scene: Scene, prepared: T) => Promise<unknown>
  /** Which registry dies. */
  readonly dying: 'east' | 'west'
  /** What holds after the restart; `scene` has the new process. */
  readonly check: (scene: Scene, prepared: T) => Promise<void>
}

/** @returns the number of writes that the operation makes. */
async function dieAtEveryWrite<T>({ prepare, run, dying, check }: Operation<T>): Promise<number> {
  const survives = async (death: Death): Promise<boolean> => {
    let isDead = true
    await inScene(async (scene) => {
      const prepared = await prepare(scene)
      scene[dying].store.dieAt(death)
      const code = await run(scene, prepared).then(() => 'done', errorCode)
      isDead = scene[dying].store.isDead
      expect(code).toBe(isDead ? 'unavailable' : 'done')
      await check({ ...scene, [dying]: await scene.world.restart(scene[dying]) }, prepared)
    })
    return !isDead
  }
  let write = 1
  while (!(await survives({ write, when: 'before' }))) {
    await survives({ write, when: 'after' })
    write += 1
  }
  return write - 1
}

const isJoined = (at: TestDomain, domain: string) => at.trust.joinedDomain(domain) !== undefined

function isUsable(at: TestDomain, token: string): Promise<boolean> {
  const { secret, kind } = decodeToken(token)
  return at.invitations.check(secret, kind).then(
    () => true,
    () => false,
  )
}

async function invite(at: TestDomain): Promise<string> {
  return (await at.domains.invite({ domain: 'west', lifetime: hour }, admin)).token
}

async function inviteNode(at: TestDomain): Promise<string> {
  return (await at.domains.inviteNode({ node: 'n1', lifetime: hour }, admin)).token
}

async function joinNode(at: TestDomain, token: string) {
  const csr = Buffer.from((await createKeyAndCsr()).csr)
  return at.authority.joinNode({ token, csr }, callOf(''))
}

const join = (at: TestDomain, token: string) => at.domains.join({ token }, admin)
const nodes = async (at: TestDomain) => (await at.domains.listNodes({}, admin)).nodes.map(({ name }) => name)

test('the registry that is joined dies: a token lets in one domain or none', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'east',
    prepare: ({ east }) => invite(east),
    run: ({ west }, token) => join(west, token),
    async check({ world, east, west }, token) {
      if (isJoined(east, 'west')) expect(await isUsable(east, token)).toBe(false)
      const wasJoined = isJoined(east, 'west')
      const other = await world.domain('west', 'elsewhere.test:5002')
      const isOtherIn = (await join(other, token).then(() => 'joined', errorCode)) === 'joined'
      expect([wasJoined, isOtherIn]).not.toEqual([true, true])
      if (isOtherIn) await east.domains.revoke({ name: 'west' }, admin)
      await join(west, await invite(east))
      expect([isJoined(east, 'west'), isJoined(west, 'east')]).toEqual([true, true])
    },
  })
  expect(writes).toBe(2)
})

test('the registry that joins dies: a new token repairs it', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'west',
    prepare: ({ east }) => invite(east),
    run: ({ west }, token) => join(west, token),
    async check({ east, west }, token) {
      expect([isJoined(east, 'west'), await isUsable(east, token)]).toEqual([true, false])
      await join(west, await invite(east))
      expect(isJoined(west, 'east')).toBe(true)
    },
  })
  expect(writes).toBe(1)
})

test('a node joins: a token makes one node or none, and only a member has an identity', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'east',
    prepare: ({ east }) => inviteNode(east),
    run: ({ east }, token) => joinNode(east, token),
    async check({ east }, token) {
      const isMember = (await nodes(east)).includes('n1')
      const isGood = await isUsable(east, token)
      expect([isMember, isGood]).not.toEqual([true, true])
      const again = await joinNode(east, token).then(() => 'joined', errorCode)
      expect(again).toBe(isGood ? 'joined' : 'failed_precondition')
      await joinNode(east, await inviteNode(east))
      expect(await nodes(east)).toEqual(['n1'])
    },
  })
  expect(writes).toBe(2)
})

test('a domain is revoked: it is trusted with all its exports or not at all, and comes back with none', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'east',
    async prepare({ east, west }) {
      await join(west, await invite(east))
      await east.domains.export({ service: 'files', domain: 'west' }, admin)
    },
    run: ({ east }) => east.domains.revoke({ name: 'west' }, admin),
    async check({ east, west }) {
      const isTrusted = isJoined(east, 'west')
      expect(east.trust.bundles().has('west')).toBe(isTrusted)
      expect(east.trust.exports().get('west')).toEqual(isTrusted ? new Set(['files']) : undefined)
      const again = await east.domains.revoke({ name: 'west' }, admin).then(() => 'done', errorCode)
      expect(again).toBe(isTrusted ? 'done' : 'not_found')
      await join(west, await invite(east))
      expect(east.trust.exports().get('west')).toEqual(new Set())
    },
  })
  expect(writes).toBe(1)
})

test('a node is revoked: the command can be repeated until its registrations are gone', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'east',
    prepare: async ({ east }) => joinNode(east, await inviteNode(east)),
    run: ({ east }) => east.domains.revokeNode({ node: 'n1' }, admin),
    async check({ east }) {
      await east.domains.revokeNode({ node: 'n1' }, admin)
      expect(east.trust.isRevoked('spiffe://east/node/n1/uid/0')).toBe(true)
      expect(east.revoked).toEqual(['spiffe://east/node/n1'])
      const csr = Buffer.from((await createKeyAndCsr()).csr)
      const renewed = east.authority.renew({ csr }, callOf('spiffe://east/node/n1'))
      await expect(renewed).rejects.toMatchObject({ code: 'permission_denied' })
    },
  })
  expect(writes).toBe(1)
})

test('an invitation is made: a token that nobody was given lets nobody in', async () => {
  const writes = await dieAtEveryWrite({
    dying: 'east',
    prepare: async () => {},
    run: ({ east }) => inviteNode(east),
    async check({ east }) {
      expect(await nodes(east)).toEqual([])
      await joinNode(east, await inviteNode(east))
    },
  })
  expect(writes).toBe(1)
})

test('a service is exported and withdrawn: each is done or not, and can be repeated', async () => {
  const prepare = async ({ east, west }: Scene) => void (await join(west, await invite(east)))
  const files = { service: 'files', domain: 'west' }
  const exported = ({ trust }: TestDomain) => trust.exports().get('west')?.has('files')
  expect(
    await dieAtEveryWrite({
      dying: 'east',
      prepare,
      run: ({ east }) => east.domains.export(files, admin),
      async check({ east }) {
        await east.domains.export(files, admin)
        expect(exported(east)).toBe(true)
      },
    }),
  ).toBe(1)
  expect(
    await dieAtEveryWrite({
      dying: 'east',
      async prepare(scene) {
        await prepare(scene)
        await scene.east.domains.export(files, admin)
      },
      run: ({ east }) => east.domains.unexport(files, admin),
      async check({ east }) {
        await east.domains.unexport(files, admin).catch((error) => expect(errorCode(error)).toBe('not_found'))
        expect(exported(east)).toBe(false)
      },
    }),
  ).toBe(1)
})
