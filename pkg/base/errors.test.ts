import { expect, test } from 'vitest'
import { describeError, errorCode, NsmError, nextStep } from './index.ts'

test('describeError names the fields and every cause, outermost first', () => {
  const refusals = new AggregateError([new Error('a is full'), new NsmError('unavailable', 'Cannot reach b')])
  const error = new NsmError('unavailable', 'Cannot reach an endpoint', {
    cause: refusals,
    fields: { service: 'db', left: undefined },
  })
  expect(describeError(error)).toBe('Cannot reach an endpoint (service=db): a is full; Cannot reach b')
})

test.each([
  [new NsmError('not_found', 'x'), 'not_found'],
  [AbortSignal.abort().reason, 'cancelled'],
  [new DOMException('late', 'TimeoutError'), 'deadline_exceeded'],
  ['a string', 'internal'],
  [new RangeError('x'), 'internal'],
] as const)('errorCode of %s is %s', (error, code) => {
  expect(errorCode(error)).toBe(code)
})

test('nextStep is the hint of the error, or else of its cause', () => {
  const inner = new NsmError('not_found', 'inner', { next: 'look elsewhere' })
  expect(nextStep(new NsmError('internal', 'outer', { cause: new AggregateError([new Error('x'), inner]) }))).toBe(
    'look elsewhere',
  )
  expect(nextStep(new NsmError('internal', 'outer', { cause: inner, next: 'stop' }))).toBe('stop')
  expect(nextStep(new Error('no advice'))).toBeUndefined()
})
