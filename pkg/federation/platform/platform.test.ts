import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError } from '../../base/index.ts'
import { createKeyAndCsr } from '../../identity/index.ts'
import { callOf, type TestDomain, TestWorld } from '../testing/index.ts'
import { LATE_RENEWAL_MS } from '../trust/nodes.ts'
import type { Platform, PlatformNode } from './platform.ts'

const N1 = 'spiffe://east/node/n1'
const HOUR_MS = 3_600_000
const admin = callOf('')

/** The nodes by their tokens, and the workloads that run. */
const tokens = new Map<string, PlatformNode>()
const workloads = new Set<string>()

const platform: Platform = {
  async nodeOf(token) {
    const node = tokens.get(token)
    if (node === undefined) throw new NsmError('permission_denied', 'the token proves no node')
    return node
  },
  async checkWorkload(node, path) {
    if (!workloads.has(`${node} ${path}`)) throw new NsmError('permission_denied', 'no such workload')
  },
}

let world: TestWorld
let east: TestDomain

beforeEach(async () => {
  tokens.clear()
  workloads.clear()
  tokens.set('a.b.n1', { name: 'n1', uid: 'one' })
  world = new TestWorld()
  world.platform = platform
  east = await world.domain('east')
})

afterEach(async () => {
  await world.scope.close()
  await world.settle()
  expect(world.clock.pending).toBe(0)
})

const csr = async () => Buffer.from((await createKeyAndCsr()).csr)
const join = async (token = 'a.b.n1') => east.authority.joinNode({ token, csr: await csr() }, callOf(''))
const revoke = () => east.domains.revokeNode({ node: 'n1' }, admin)

describe('a domain whose platform vouches for its nodes', () => {
  test('lets them in, again and again, and counts each once', async () => {
    expect(await join()).toMatchObject({ spiffeId: N1, trust: { trustDomain: 'east' } })
    await world.clock.advance(HOUR_MS / 2)
    expect((await join()).spiffeId).toBe(N1)
    expect(east.trust.records.get('node', 'n1')).toMatchObject({
      joinedMs: world.clock.nowMs() - HOUR_MS / 2,
      renewedMs: world.clock.nowMs(),
      platformUid: 'one',
    })
  })

  test('knows after the next identity of a node which run of it is connected', async () => {
    await join()
    const run = { url: 'tcp://192.0.2.1:5001', instance: 'first' }
    await east.trust.records.change('node', 'n1', (known) => known && { ...known, run })
    await join()
    expect(east.trust.records.get('node', 'n1')?.run).toEqual(run)
  })

  test('lets in nobody with another token, and gives no identity by one that it gave before', async () => {
    await expect(join('a.b.c')).rejects.toMatchObject({ code: 'permission_denied' })
    await join()
    tokens.clear() // the machine is gone
    const renewal = east.authority.renew({ csr: await csr() }, callOf(N1))
    await expect(renewal).rejects.toMatchObject({ code: 'permission_denied' })
  })

  test('keeps a node out that was revoked, for ever, until its machine is set up anew', async () => {
    await join()
    await revoke()
    for (const ms of [1, HOUR_MS, LATE_RENEWAL_MS]) {
      await world.clock.advance(ms)
      await expect(join()).rejects.toMatchObject({ code: 'permission_denied' })
    }
    tokens.set('a.b.n1', { name: 'n1', uid: 'two' })
    expect((await join()).spiffeId).toBe(N1)
  })

  test('waits until the identities of a revoked node have ended, also when its machine is another', async () => {
    await join()
    await revoke()
    tokens.set('a.b.n1', { name: 'n1', uid: 'two' })
    await expect(join()).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  test('gives the name of a node that was invited to no other', async () => {
    const { token } = await east.domains.inviteNode({ node: 'n1', lifetime: undefined }, admin)
    await east.authority.joinNode({ token, csr: await csr() }, callOf(''))
    await expect(join()).rejects.toMatchObject({ code: 'already_exists' })
  })

  test('issues identities to a node for the workloads that run on it, and for no others', async () => {
    await join()
    workloads.add('n1 ns/shop/sa/db')
    workloads.add('n2 ns/shop/sa/web')
    const issue = async (path: string) => {
      return (await east.authority.issueWorkload({ csr: await csr(), path, dnsNames: [] }, callOf(N1))).spiffeId
    }
    expect(await issue('ns/shop/sa/db')).toBe(`${N1}/ns/shop/sa/db`)
    await expect(issue('ns/shop/sa/web')).rejects.toMatchObject({ code: 'permission_denied' })
  })
})

test('where nobody vouches for nodes, a token of a platform lets nobody in', async () => {
  world.platform = undefined
  east = await world.domain('east')
  await expect(join()).rejects.toMatchObject({ code: 'permission_denied' })
})
