import { expect, test } from 'vitest'
import { systemClock, within } from './index.ts'
import { FakeClock } from './testing/index.ts'

test('FakeClock fires the timers that fall due, in order, and leaves the rest', async () => {
  const clock = new FakeClock(1_000)
  const fired: string[] = []
  clock.after(20, () => fired.push(`b at ${clock.nowMs()}`))
  clock.after(10, () => fired.push(`a at ${clock.nowMs()}`))
  clock.after(31, () => fired.push('too late'))
  clock.after(5, () => fired.push('cancelled'))()
  await clock.advance(30)
  expect(fired).toEqual(['a at 1010', 'b at 1020'])
  expect(clock.pending).toBe(1)
})

test('FakeClock fires a timer that another timer started, within the same advance', async () => {
  const clock = new FakeClock()
  const sleeper = async () => {
    await clock.sleep(10)
    await clock.sleep(10)
    return clock.monotonicMs()
  }
  const start = clock.monotonicMs()
  const done = sleeper()
  await clock.advance(25)
  expect((await done) - start).toBe(20)
})

test.each([
  ['system', systemClock],
  ['fake', new FakeClock()],
] as const)('sleep of the %s clock ends with the reason of its signal', async (_, clock) => {
  const abort = new AbortController()
  const slept = clock.sleep(60_000, abort.signal)
  abort.abort(new Error('stop'))
  await expect(slept).rejects.toThrow('stop')
  await expect(clock.sleep(60_000, abort.signal)).rejects.toThrow('stop')
})

test('within ends with its time limit or its parent, and leaves no timer behind', async () => {
  const clock = new FakeClock()
  const parent = new AbortController()
  const untilAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  expect(await within({ clock, ms: 10 }, async () => 'done')).toBe('done')
  expect(clock.pending).toBe(0)
  const late = expect(within({ clock, ms: 10, signal: parent.signal }, untilAborted)).rejects.toMatchObject({
    code: 'deadline_exceeded',
  })
  await clock.advance(10)
  await late
  const left = within({ clock, ms: 10, signal: parent.signal }, untilAborted)
  parent.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  await expect(
    within({ clock, ms: 10, signal: parent.signal }, async (signal) => signal.throwIfAborted()),
  ).rejects.toThrow('gone')
  expect(clock.pending).toBe(0)
})
