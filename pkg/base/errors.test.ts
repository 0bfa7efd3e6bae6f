import { expect, test } from 'vitest'
import { describeError, errorCode, NsmError } from './index.ts'

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
