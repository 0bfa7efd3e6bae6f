import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { encodeRecord } from '../store/record-codec.ts'
import type { TrustStore } from '../store/trust-store.ts'
import { TestWorld } from '../testing/index.ts'
import { TrustRecords } from '../trust/trust-records.ts'
import { Invitations } from './invitations.ts'

const WEEK_MS = 7 * 24 * 3_600_000

let world: TestWorld
let store: TrustStore
let clock: FakeClock
let invitations: Invitations
beforeEach(async () => {
  world = new TestWorld()
  clock = new FakeClock()
  store = world.emptyStore()
  const records = world.scope.own(await TrustRecords.open({ store, clock, logger: silentLogger }))
  invitations = new Invitations(records, clock)
})
afterEach(async () => {
  await world.scope.close()
  expect(clock.pending).toBe(0)
})

test('an invitation is good once', async () => {
  const { secret } = await invitations.create('node', 'n1', 60_000)
  const invitation = await invitations.check(secret, 'node')
  expect(invitation.guest).toBe('n1')
  await invitations.use(invitation)
  await expect(invitations.use(invitation)).rejects.toThrow(/used already/)
  await expect(invitations.check(secret, 'node')).rejects.toThrow(/used already/)
})

test('an invitation ends, also between its check and its use', async () => {
  const { secret, expiresMs } = await invitations.create('domain', '', 60_000)
  expect(expiresMs).toBe(clock.nowMs() + 60_000)
  const invitation = await invitations.check(secret, 'domain')
  await clock.advance(60_000)
  await expect(invitations.check(secret, 'domain')).rejects.toThrow(/has expired/)
  await expect(invitations.use(invitation)).rejects.toThrow()
})

test('a secret opens only what it was made for', async () => {
  const { secret } = await invitations.create('node', 'n1', 60_000)
  await expect(invitations.check(secret, 'domain')).rejects.toMatchObject({ code: 'permission_denied' })
  const flipped = Buffer.from(secret, 'base64url')
  flipped[31] = (flipped[31] ?? 0) ^ 1
  for (const forged of ['', 'x', flipped.toString('base64url')]) {
    await expect(invitations.check(forged, 'node')).rejects.toThrow(/did not make this token/)
  }
})

test('the store holds nothing with which one can join', async () => {
  const { secret } = await invitations.create('node', 'n1', 60_000)
  const { records } = await store.list()
  expect(records).toHaveLength(1)
  for (const { record } of records) {
    if (record.kind !== 'invitation') throw new Error(`unexpected ${record.kind}`)
    expect(Buffer.from(record.hash).equals(Buffer.from(secret, 'base64url'))).toBe(false)
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(encodeRecord(record)).not.toContain(Buffer.from(secret, 'base64url').toString(encoding))
    }
    const kept = Buffer.from(record.hash).toString('base64url')
    for (const guess of [kept, record.name]) await expect(invitations.check(guess, 'node')).rejects.toThrow()
  }
})

test('an old invitation is remembered for a week after its end, and then forgotten', async () => {
  const { secret } = await invitations.create('node', 'n1', 60_000)
  await clock.advance(WEEK_MS + 59_000)
  await invitations.create('node', 'n2', 60_000)
  await expect(invitations.check(secret, 'node')).rejects.toThrow(/has expired/)
  await clock.advance(2_000)
  await invitations.create('node', 'n3', 60_000)
  await expect(invitations.check(secret, 'node')).rejects.toThrow(/did not make this token/)
  expect((await store.list()).records).toHaveLength(2)
})

test.each([0, 999, 8 * 24 * 3_600_000, Number.NaN])('a lifetime of %s ms is refused', async (lifetimeMs) => {
  await expect(invitations.create('node', 'n1', lifetimeMs)).rejects.toThrow(/lifetime/)
})
