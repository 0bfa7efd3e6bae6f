import { expect, test } from 'vitest'
import { encodeStruct } from './attribute.ts'
import { answerError, attribute, errno, errnoCode, errnoName, isGone, type Message, readAnswer } from './index.ts'

const CAPPED = 0x100
const WITH_TEXT = 0x200

function errorMessage(number: number, options: { flags?: number; text?: string; request?: Uint8Array } = {}): Message {
  const { flags = 0, text, request = new Uint8Array() } = options
  const fixed = new Uint8Array(20 + request.length)
  const view = new DataView(fixed.buffer)
  view.setInt32(0, -number, true)
  view.setUint32(4, 16 + request.length, true)
  fixed.set(request, 20)
  const attributes = text === undefined ? [] : [attribute.text(1, text)]
  return { type: 2, flags, sequence: 1, body: encodeStruct({ fixed, attributes }).bytes }
}

test('readAnswer reads success, errors, and the message of the kernel after a whole or a capped request', () => {
  expect(readAnswer(errorMessage(0))).toEqual({ errno: 0, text: '' })
  expect(readAnswer(errorMessage(errno.EEXIST))).toEqual({ errno: errno.EEXIST, text: '' })
  const text = 'Device already exists'
  expect(readAnswer(errorMessage(17, { flags: WITH_TEXT | CAPPED, text }))).toEqual({ errno: 17, text })
  const request = new Uint8Array(32).fill(0xff)
  expect(readAnswer(errorMessage(17, { flags: WITH_TEXT, text, request }))).toEqual({ errno: 17, text })
})

test('readAnswer reads the end of a dump, with and without an error code', () => {
  const done = (body: Uint8Array) => readAnswer({ type: 3, flags: 2, sequence: 1, body })
  expect(done(new Uint8Array())).toEqual({ errno: 0, text: '' })
  expect(done(Uint8Array.of(0xfc, 0xff, 0xff, 0xff))).toEqual({ errno: errno.EINTR, text: '' })
})

test('readAnswer ignores other messages and refuses every truncation of an error', () => {
  expect(readAnswer({ type: 16, flags: 0, sequence: 1, body: new Uint8Array() })).toBeUndefined()
  const whole = errorMessage(17, { flags: WITH_TEXT | CAPPED, text: 'no' })
  for (let length = 0; length < 20; length++) {
    expect(() => readAnswer({ ...whole, body: whole.body.subarray(0, length) })).toThrow('the error is truncated')
  }
})

test('answerError contains the request, the errno and the reason', () => {
  const error = answerError('Cannot add the route', { errno: errno.ENETUNREACH, text: 'Nexthop has invalid gateway' })
  expect(error.message).toBe('Cannot add the route: the request was refused')
  expect(error.code).toBe('failed_precondition')
  expect(error.fields).toEqual({ errno: 'ENETUNREACH', reason: 'Nexthop has invalid gateway' })
})

test('error numbers have names, and an unknown one is internal', () => {
  expect([errnoName(11), errnoName(95), errnoName(4095)]).toEqual(['EAGAIN', 'EOPNOTSUPP', 'errno 4095'])
  expect([errnoCode(errno.ENODEV), errnoCode(errno.ENOBUFS), errnoCode(4095)]).toEqual([
    'not_found',
    'resource_exhausted',
    'internal',
  ])
  expect([isGone(errno.ESRCH), isGone(errno.EADDRNOTAVAIL), isGone(errno.EPERM)]).toEqual([true, true, false])
})
