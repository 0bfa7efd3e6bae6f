import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../base/testing/index.ts'
import { type Database, openDatabase } from '../../store/index.ts'
import { federationSchema } from '../store/schema.ts'
import { Invitations } from './invitations.ts'

let database: Database
let clock: FakeClock
let invitations: Invitations
beforeEach(() => {
  database = openDatabase(':memory:', { application: 'test', migrations: [federationSchema] })
  clock = new FakeClock()
  invitations = new Invitations(database, clock)
})
afterEach(() => database.close())

test('an invitation is good once', () => {
  const { secret } = invitations.create('node', 'n1', 60_000)
  const invitation = invitations.check(secret, 'node')
  expect(invitation.node).toBe('n1')
  invitations.use(invitation)
  expect(() => invitations.use(invitation)).toThrow(/used already/)
  expect(() => invitations.check(secret, 'node')).toThrow(/used already/)
})

test('an invitation ends, also between its check and its use', async () => {
  const { secret, expiresMs } = invitations.create('domain', '', 60_000)
  expect(expiresMs).toBe(clock.nowMs() + 60_000)
  const invitation = invitations.check(secret, 'domain')
  await clock.advance(60_000)
  expect(() => invitations.check(secret, 'domain')).toThrow(/has expired/)
  expect(() => invitations.use(invitation)).toThrow()
})

test('a secret opens only what it was made for', () => {
  const { secret } = invitations.create('node', 'n1', 60_000)
  expect(() => invitations.check(secret, 'domain')).toThrow(/not one of this domain/)
  const flipped = Buffer.from(secret, 'base64url')
  flipped[31] = (flipped[31] ?? 0) ^ 1
  for (const forged of ['', 'x', flipped.toString('base64url')]) {
    expect(() => invitations.check(forged, 'node')).toThrow(/not one of this domain/)
  }
})

test('the database holds nothing with which one can join', () => {
  const { secret } = invitations.create('node', 'n1', 60_000)
  const bytes = Buffer.from(secret, 'base64url')
  const rows = database.query('SELECT id, hash FROM federation_invitation', (row) => ({
    id: row.text('id'),
    hash: Buffer.from(row.blob('hash')),
  }))
  for (const { id, hash } of rows.all()) {
    expect(hash.equals(bytes)).toBe(false)
    expect(() => invitations.check(hash.toString('base64url'), 'node')).toThrow()
    expect(() => invitations.check(id, 'node')).toThrow()
  }
})

test.each([0, 999, 8 * 24 * 3_600_000, Number.NaN])('a lifetime of %s ms is refused', (lifetimeMs) => {
  expect(() => invitations.create('node', 'n1', lifetimeMs)).toThrow(/lifetime/)
})
