import { describe, expect, test } from 'vitest'
import { Attributes } from './attributes.ts'
import { type GateCall, gateAnswer, gateMessage, readGateCall } from './gate.ts'
import { decodeMessages, dialMessage, errno, readAnswer } from './index.ts'

const SANDBOX = { uid: '0b4a2c7e', namespace: 'shop', name: 'web-0', sandbox: 'ab12' }
const CALLS: readonly GateCall[] = [
  { at: 'add', network: 'inode://4/4026532000', ...SANDBOX },
  { at: 'del', ...SANDBOX },
]

describe('a call of nsm-cni', () => {
  test.each(CALLS)('is read as it was written: $at', (call) => {
    expect(readGateCall(gateMessage(call))).toEqual({ call, sequence: 1 })
  })

  test('is not there before its last byte', () => {
    const whole = gateMessage({ at: 'add', network: 'inode://4/1', ...SANDBOX })
    for (let length = 0; length < whole.length; length++)
      expect(readGateCall(whole.subarray(0, length))).toBeUndefined()
  })

  test.each([
    ['another message', dialMessage('unix:///x')],
    ['a call without the name of the pod', gateMessage({ at: 'del', ...SANDBOX, name: '' })],
  ])('is refused when it is %s', (_, bytes) => {
    expect(() => readGateCall(bytes)).toThrow(/Cannot decode the netlink message/)
  })

  test('is refused without a namespace', () => {
    const bytes = gateMessage({ at: 'del', ...SANDBOX })
    bytes[4] = 0x42 // podAdd
    expect(() => readGateCall(bytes)).toThrow(/lacks an attribute/)
  })
})

describe('the answer to nsm-cni', () => {
  const read = (bytes: Uint8Array) => decodeMessages(bytes).map((message) => [message.sequence, readAnswer(message)])

  test('lets the pod start', () => {
    expect(read(gateAnswer(7, undefined))).toEqual([[7, { errno: 0, text: '' }]])
  })

  test('says why it does not, where nsm-cni looks for that', () => {
    const bytes = gateAnswer(7, 'Cannot start the pod: naïve')
    expect(read(bytes)).toEqual([[7, { errno: errno.EAGAIN, text: 'Cannot start the pod: naïve' }]])
    const behindTheError = new Attributes(bytes.subarray(16 + 20))
    expect(behindTheError.text(1)).toBe('Cannot start the pod: naïve')
  })
})
