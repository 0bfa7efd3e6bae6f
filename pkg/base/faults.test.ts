import { expect, it } from 'vitest'
import { Faults } from './faults.ts'
import { silentLogger } from './logger.ts'
import { FakeClock } from './testing/index.ts'

it('Faults tells of the last fault, with its place in the log, for an hour', async () => {
  const clock = new FakeClock()
  const stacks: unknown[] = []
  const faults = new Faults({
    clock,
    logger: { ...silentLogger, error: (_, fields) => stacks.push(fields?.['stack']) },
  })
  expect(faults.problem).toBe('')
  faults.report(new Error('one'))
  faults.report(new TypeError('two'))
  expect(faults.problem).toBe('2 faults of the program since its start, the last: two')
  expect(stacks.every((stack) => String(stack).includes('faults.test.ts'))).toBe(true)
  await clock.advance(3_600_001)
  expect(faults.problem).toBe('')
})
