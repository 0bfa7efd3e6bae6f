import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorCode } from '../base/index.ts'
import {
  type Attribute,
  Attributes,
  attribute,
  decodeMessages,
  encodeMessage,
  encodeMessages,
  type OutgoingMessage,
  takeMessages,
} from './index.ts'

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const anyType = fc.integer({ min: 1, max: 0x3fff })

const anyMessage: fc.Arbitrary<OutgoingMessage> = fc.record({
  type: u16,
  flags: u16,
  sequence: u32,
  fixed: fc.integer({ min: 0, max: 4 }).chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
  attributes: fc.array(fc.record({ type: anyType, value: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 8 }),
})

/** Runs `read`, which may throw `invalid_argument` and no other error. */
function survives(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    expect(errorCode(error)).toBe('invalid_argument')
  }
}

test('decodeMessages reads the output of encodeMessages', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 5 }), (messages) => {
      const decoded = decodeMessages(encodeMessages(messages).bytes)
      expect(decoded).toHaveLength(messages.length)
      for (const [index, { type, flags, sequence, fixed, attributes }] of messages.entries()) {
        const { body, ...header } = decoded[index]!
        expect(header).toEqual({ type, flags, sequence })
        const size = fixed?.length ?? 0
        expect(body.subarray(0, size)).toEqual(fixed)
        const read = new Attributes(body.subarray(size))
        for (const { type } of attributes) {
          expect(read.all(type)).toEqual(attributes.filter((entry) => entry.type === type).map(({ value }) => value))
        }
      }
    }),
  )
})

test('every truncation of a payload is read or refused, without reading beyond its end', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 3 }), fc.nat(), (messages, cut) => {
      const whole = encodeMessages(messages).bytes
      const length = cut % whole.length
      survives(() => {
        for (const { body } of decodeMessages(whole.slice(0, length))) survives(() => new Attributes(body))
      })
    }),
  )
})

test('arbitrary bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      survives(() => decodeMessages(bytes))
      survives(() => new Attributes(bytes))
      survives(() => takeMessages(bytes, { maxBytes: 100 }))
    }),
  )
})

test('takeMessages returns the same messages for any chunks of the stream', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 4 }), fc.array(fc.nat({ max: 60 })), (messages, cuts) => {
      const stream = encodeMessages(messages).bytes
      const taken = []
      let rest = new Uint8Array()
      let at = 0
      for (const size of [...cuts, stream.length]) {
        const chunk = stream.subarray(at, at + size)
        at += chunk.length
        const result = takeMessages(Buffer.concat([rest, chunk]), { maxBytes: 65_536 })
        taken.push(...result.messages)
        rest = new Uint8Array(result.rest)
      }
      expect(rest).toHaveLength(0)
      expect(taken.map(({ sequence }) => sequence)).toEqual(messages.map(({ sequence }) => sequence))
    }),
  )
})

test('takeMessages takes at most its limit and leaves the rest', () => {
  const one = encodeMessage({ type: 1, flags: 0, sequence: 7, attributes: [] }).bytes
  const { messages, rest } = takeMessages(Buffer.concat([one, one]), { maxBytes: 100, limit: 1 })
  expect(messages).toHaveLength(1)
  expect(new Uint8Array(rest)).toEqual(one)
})

test.each([0, 15, 101, 0xffffffff])('takeMessages refuses a message of %i bytes', (length) => {
  const bytes = encodeMessage({ type: 1, flags: 0, sequence: 7, attributes: [] }).bytes
  new DataView(bytes.buffer).setUint32(0, length, true)
  expect(() => takeMessages(bytes, { maxBytes: 100 })).toThrow('Cannot decode the netlink message')
})

test('attributes of every kind survive a round trip, including nested ones', () => {
  const { bytes } = encodeMessage({
    type: 1,
    flags: 0,
    sequence: 1,
    attributes: [
      attribute.u8(1, 255),
      attribute.u16(2, 65_535),
      attribute.u32(3, 4_294_967_295),
      attribute.u64(4, 2n ** 64n - 1n),
      attribute.text(5, 'nsm-1'),
      attribute.nested(6, [attribute.u8(1, 7)]),
    ],
  })
  const read = new Attributes(decodeMessages(bytes)[0]!.body)
  expect([read.u8(1), read.u16(2), read.u32(3), read.u64(4)]).toEqual([255, 65_535, 4_294_967_295, 2n ** 64n - 1n])
  expect(read.text(5)).toBe('nsm-1')
  expect(read.nested(6)?.u8(1)).toBe(7)
  expect([read.u8(9), read.text(9), read.nested(9)]).toEqual([undefined, undefined, undefined])
  expect(() => read.u16(1)).toThrow('a number has the wrong length')
})

test('offsets of namespace descriptors are right at every level of nesting', () => {
  const nested = attribute.nested(3, [
    attribute.u8(1, 1),
    attribute.struct(4, Uint8Array.of(9, 9, 9, 9), [attribute.namespaceFd(5, 'b')]),
  ])
  const messages = [
    { attributes: [attribute.namespaceFd(1, 'a')] },
    { attributes: [nested], fixed: new Uint8Array(12) },
  ]
  const { bytes, fdPatches } = encodeMessages(
    messages.map((message) => ({ type: 1, flags: 0, sequence: 1, ...message })),
  )
  for (const { offset } of fdPatches) bytes.fill(0xee, offset, offset + 4)
  expect(fdPatches.map(({ namespace }) => namespace)).toEqual(['a', 'b'])
  const [first, second] = decodeMessages(bytes)
  const patched = Uint8Array.of(0xee, 0xee, 0xee, 0xee)
  expect(new Uint8Array(new Attributes(first!.body).bytes(1)!)).toEqual(patched)
  const struct = new Attributes(second!.body.subarray(12)).nested(3)!.bytes(4)!
  expect(new Uint8Array(new Attributes(struct.subarray(4)).bytes(5)!)).toEqual(patched)
})

test('an attribute whose length does not fit into 16 bits is refused', () => {
  const attributes: Attribute[] = [attribute.bytes(1, new Uint8Array(65_532))]
  expect(() => encodeMessage({ type: 1, flags: 0, sequence: 1, attributes })).toThrow('longer than 65535 bytes')
})
