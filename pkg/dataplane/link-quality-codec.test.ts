import { expect, test } from 'vitest'
import {
  type Attribute,
  attribute,
  attributeType,
  decodeMessages,
  encodeMessage,
  messageType,
} from '../netlink/index.ts'
import { decodeLinkQuality } from './link-quality-codec.ts'

const { bytes, u8, u16, u32, u64 } = attribute
const sent: readonly Attribute[] = [
  bytes(attributeType.peerAddress, Uint8Array.of(192, 0, 2, 1)),
  u16(attributeType.peerPort, 51_820),
  u8(attributeType.linkVerdict, 1),
  u32(attributeType.mtuBytes, 1240),
  u32(attributeType.rttUs, 900),
  u32(attributeType.jitterUs, 40),
  u32(attributeType.lossPpm, 5000),
  u64(attributeType.probesSent, 200n),
  u64(attributeType.probesLost, 1n),
]

function received(attributes: readonly Attribute[]) {
  const { bytes } = encodeMessage({ type: messageType.linkQualityGet, flags: 0, sequence: 1, attributes })
  return decodeLinkQuality(decodeMessages(bytes)[0]!)
}

test('a path reads as the engine tells it', () => {
  expect(received(sent)).toEqual({
    peer: { ip: '192.0.2.1', port: 51_820 },
    state: 'up',
    rttUs: 900,
    jitterUs: 40,
    lossPpm: 5000,
    mtuBytes: 1240,
    probes: 200n,
    lost: 1n,
  })
})

test('a path without its figures, or in a state that is none, is refused', () => {
  for (const missing of sent.slice(2)) {
    expect(() => received(sent.filter((each) => each !== missing))).toThrow()
  }
  const odd = sent.map((each) => (each.type === attributeType.linkVerdict ? u8(attributeType.linkVerdict, 9) : each))
  expect(() => received(odd)).toThrow()
})
