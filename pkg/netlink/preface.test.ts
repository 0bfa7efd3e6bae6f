import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attestationOf } from '../api/testing/index.ts'
import { errorCode } from '../base/index.ts'
import {
  Attributes,
  attributeType,
  decodeMessages,
  dialMessage,
  encodeMessage,
  type LocalPeer,
  messageType,
  prefaceMessage,
  readPreface,
} from './index.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const anyAttestation: fc.Arbitrary<LocalPeer> = fc.record({
  listener: fc.constantFrom('', 'nsm', 'workload'),
  connectionId: fc.bigInt(0n, 2n ** 64n - 1n),
  pid: u32,
  uid: u32,
  gid: u32,
  namespace: fc.bigInt(1n, 2n ** 64n - 1n).map((ino) => `inode://4/${ino}`),
  pidNamespace: fc.bigInt(0n, 2n ** 64n - 1n),
  userNamespace: fc.bigInt(0n, 2n ** 64n - 1n),
  mountNamespace: fc.bigInt(0n, 2n ** 64n - 1n),
  cgroup: fc.constantFrom('', '/kubepods.slice/pod1'),
  pod: fc.constantFrom('', '0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f'),
  account: fc.constantFrom('uid/1000', 'unit/docker/1'),
  isNodesOwn: fc.boolean(),
})

test('readPreface returns the attestation and leaves the bytes after the preface', () => {
  fc.assert(
    fc.property(anyAttestation, fc.uint8Array({ maxLength: 40 }), (attestation, behind) => {
      const preface = prefaceMessage(attestation)
      expect(readPreface(Buffer.concat([preface, behind]))).toEqual({ attestation, length: preface.length })
    }),
  )
})

test('readPreface takes a process of which an older holder says less for nobody in particular', () => {
  const [message] = decodeMessages(prefaceMessage({ ...attestationOf({ isNodesOwn: true }), listener: 'nsm' }))
  const first = new Attributes(message!.body)
  const attributes = ['connection', 'pid', 'uid', 'gid', 'nsDev', 'nsIno'] as const
  const { bytes } = encodeMessage({
    type: messageType.preface,
    flags: 0,
    sequence: 0,
    attributes: attributes.map((name) => ({ type: attributeType[name], value: first.bytes(attributeType[name])! })),
  })
  expect(readPreface(bytes)?.attestation).toMatchObject({
    uid: 1000,
    account: 'uid/1000',
    isNodesOwn: false,
    pidNamespace: 0n,
  })
})

test('readPreface waits for the rest after every truncation', () => {
  const preface = prefaceMessage({ ...attestationOf(), listener: 'nsm' })
  for (let length = 0; length < preface.length; length++)
    expect(readPreface(preface.subarray(0, length))).toBeUndefined()
})

test('readPreface refuses anything else with invalid_argument', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 100 }), (bytes) => {
      try {
        readPreface(bytes)
      } catch (error) {
        expect(['invalid_argument', 'internal']).toContain(errorCode(error))
        expect(String(error)).toMatch(/^NsmError: Cannot (decode|reach)/)
      }
    }),
  )
  const preface = prefaceMessage({ ...attestationOf(), listener: '' })
  new DataView(preface.buffer).setUint16(4, messageType.hello, true)
  expect(() => readPreface(preface)).toThrow('it is not a preface')
})

test('readPreface throws the refusal of a dial', () => {
  const body = [0x98, 0xff, 0xff, 0xff, ...new Array<number>(16).fill(0)] // -ECONNRESET
  const refusal = Uint8Array.of(36, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...body)
  expect(() => readPreface(refusal)).toThrow('Cannot reach the local endpoint: the request was refused')
})

test('dialMessage contains the URL, and with whose rights to connect', () => {
  const [message] = decodeMessages(dialMessage('unix:///run/files.sock'))
  expect(message).toMatchObject({ type: messageType.dial, sequence: 1 })
  expect(new Attributes(message!.body).text(attributeType.url)).toBe('unix:///run/files.sock')
  expect(new Attributes(message!.body).u32(attributeType.uid)).toBeUndefined()
  const [asUser] = decodeMessages(dialMessage('unix:///run/files.sock', 1000))
  expect(new Attributes(asUser!.body).u32(attributeType.uid)).toBe(1000)
})
