import { expect, test } from 'vitest'
import { errorCode } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { endpoint } from '../testing/index.ts'
import { Claims } from './claims.ts'

const LIFE_MS = 60_000
const DAY_MS = 24 * 3_600_000
const NSE = endpoint('nse-1')

const claimsAt = (clock: FakeClock) =>
  new Claims({ key: new Uint8Array(32), recoversUntilMs: Number.POSITIVE_INFINITY, lifeMs: LIFE_MS, clock })

function outcome(claims: Claims, claim: string | undefined): string {
  try {
    claims.checkNewEndpoint(claim === undefined ? NSE : { ...NSE, claim })
    return 'given'
  } catch (error) {
    return errorCode(error)
  }
}

test('a claim counts for the life of a registration and a day', async () => {
  const clock = new FakeClock()
  const claims = claimsAt(clock)
  const claim = claims.claimOf(NSE)
  await clock.advance(LIFE_MS + DAY_MS)
  expect(outcome(claims, claim)).toBe('given')
  await clock.advance(1)
  expect(outcome(claims, claim)).toBe('unavailable')
})

test('a registration renews the claim', async () => {
  const clock = new FakeClock()
  const claims = claimsAt(clock)
  const first = claims.claimOf(NSE)
  await clock.advance(LIFE_MS)
  const renewed = claims.claimOf(NSE)
  expect(renewed).not.toBe(first)
  await clock.advance(DAY_MS + 1)
  expect([outcome(claims, first), outcome(claims, renewed)]).toEqual(['unavailable', 'given'])
})

test('a claim is good with its own time only', () => {
  const clock = new FakeClock()
  const claims = claimsAt(clock)
  const [issued = '', mac = ''] = claims.claimOf(NSE).split('.')
  const later = `${(Number.parseInt(issued, 36) + 1).toString(36)}.${mac}`
  for (const shown of [
    later,
    mac,
    `.${mac}`,
    `${issued}.`,
    issued,
    `0${issued}.${mac}`,
    `${issued}.${mac}.`,
    '',
    undefined,
  ]) {
    expect(outcome(claims, shown), shown).toBe('unavailable')
  }
})
