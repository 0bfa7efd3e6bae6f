import { expect, it } from 'vitest'
import { Deadlines } from './index.ts'
import { FakeClock } from './testing/index.ts'

it('Deadlines calls back once for each key, at the time that was set last', async () => {
  const clock = new FakeClock()
  const due: string[] = []
  const deadlines = new Deadlines(clock, (key) => due.push(key))
  deadlines.set('a', clock.nowMs() + 10)
  deadlines.set('b', clock.nowMs() + 20)
  deadlines.set('a', clock.nowMs() + 30)
  deadlines.set('c', clock.nowMs() + 20)
  deadlines.clear('c')
  await clock.advance(20)
  expect(due).toEqual(['b'])
  await clock.advance(1_000)
  expect(due).toEqual(['b', 'a'])
  deadlines.set('d', clock.nowMs() + 1)
  deadlines.close()
  expect(clock.pending).toBe(0)
})
