import { expect, test } from 'vitest'
import { errorCode } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { type CallQuota, CallQuotas, callQuota } from './call-quota.ts'

const quota: CallQuota = { callsPerSecond: 10, burst: 5, watches: 2 }

/** How long each of `count` calls waits; the code of the error where one is refused. */
function take(quotas: CallQuotas, count: number, caller = 'a'): readonly (number | string)[] {
  return Array.from({ length: count }, () => {
    try {
      return Math.round(quotas.takeTurn(caller))
    } catch (error) {
      return errorCode(error)
    }
  })
}

test('a burst goes through at once, the next calls wait for their turn, and what would wait too long is refused', () => {
  const quotas = new CallQuotas(quota, new FakeClock())
  expect(take(quotas, 5)).toEqual([0, 0, 0, 0, 0])
  const turns = Array.from({ length: 40 }, (_, turn) => (turn + 1) * 100)
  expect(take(quotas, 41)).toEqual([...turns, 'resource_exhausted'])
})

test('a caller that calls as often as it may never waits', async () => {
  const clock = new FakeClock()
  const quotas = new CallQuotas(quota, clock)
  for (let call = 0; call < 100; call += 1) {
    expect(take(quotas, 1)).toEqual([0])
    await clock.advance(100)
  }
})

test('a refused call costs its caller nothing, and the burst comes back with time', async () => {
  const clock = new FakeClock()
  const quotas = new CallQuotas(quota, clock)
  take(quotas, 100)
  await clock.advance(4_000 + 500)
  expect(take(quotas, 6)).toEqual([0, 0, 0, 0, 0, 100])
})

test('callers do not share a quota', () => {
  const quotas = new CallQuotas(quota, new FakeClock())
  take(quotas, 100, 'a')
  expect(take(quotas, 5, 'b')).toEqual([0, 0, 0, 0, 0])
})

test('a caller holds so many watches, and another one when it has closed one', () => {
  const quotas = new CallQuotas(quota, new FakeClock())
  quotas.openWatch('a')
  quotas.openWatch('a')
  expect(() => quotas.openWatch('a')).toThrow('Cannot open the stream')
  quotas.openWatch('b')
  quotas.closeWatch('a')
  quotas.openWatch('a')
})

test.each([
  [100, { callsPerSecond: 50, burst: 200, watches: 200 }],
  [1, { callsPerSecond: 50, burst: 200, watches: 200 }],
  [1_000, { callsPerSecond: 500, burst: 250, watches: 2_000 }],
])('who may have %i wires has the quota %j', (wires, expected) => expect(callQuota(wires)).toEqual(expected))
