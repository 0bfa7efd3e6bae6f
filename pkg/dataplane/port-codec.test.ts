import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PortSpec, Terms, WireguardPortSpec } from '../mechanism/index.ts'
import { anyTerms } from '../mechanism/testing/arbitraries.ts'
import { MAX_MTU_BYTES, MAX_PORT } from '../net/index.ts'
import {
  type Attribute,
  attribute,
  attributeType,
  decodeMessages,
  encodeMessage,
  messageType,
} from '../netlink/index.ts'
import { decodePort, encodePort } from './port-codec.ts'

const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/)
const keyBytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
const key = keyBytes.map((bytes) => Buffer.from(bytes).toString('base64'))
const port = fc.integer({ min: 0, max: MAX_PORT })
const peer = fc.record({ ip: fc.constantFrom('192.0.2.1', '2001:db8::1'), port })
const mtuBytes = fc.integer({ min: 68, max: MAX_MTU_BYTES })
const prefixes = fc.subarray(['172.16.1.101/32', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/64', '::/0'])

const anyPlace: fc.Arbitrary<Omit<WireguardPortSpec, keyof Terms>> = fc.record({
  id,
  kind: fc.constant('wireguard'),
  underlay: id,
  privateKey: key,
  peerResponderKey: key,
  peerInitiatorKey: key,
  peer,
  roaming: fc.boolean(),
  payload: fc.constantFrom('IP', 'ETHERNET'),
  localPrefixes: prefixes,
  remotePrefixes: prefixes,
  mtuBytes,
  keepaliveSeconds: port,
})
const anyWireguard = fc.tuple(anyPlace, anyTerms).map(([place, terms]): WireguardPortSpec => ({ ...place, ...terms }))

function received(attributes: readonly Attribute[]) {
  const { bytes } = encodeMessage({ type: messageType.portGet, flags: 0, sequence: 1, attributes })
  return decodePort(decodeMessages(bytes)[0]!)
}

test('a wireguard port reads as it was set, with the public key in place of the private one', () => {
  fc.assert(
    fc.property(anyWireguard, keyBytes, (spec, publicKey) => {
      const reply = encodePort(spec).filter(({ type }) => type !== attributeType.privateKey)
      const session = [attribute.bytes(attributeType.publicKey, publicKey), attribute.u8(attributeType.sessionState, 2)]
      const { privateKey: _, ...rest } = spec
      expect(received([...reply, ...session])).toEqual({
        ...rest,
        publicKey: Buffer.from(publicKey).toString('base64'),
        session: 'established',
        handshakeAgeMs: undefined,
        verdict: 'up',
        reason: '',
      })
    }),
  )
})

test.each([
  [[0], 'unknown', ''],
  [[1], 'up', ''],
  [[2, 'no handshake has been answered yet'], 'down', 'no handshake has been answered yet'],
  [[], 'up', ''],
] as const)(
  'a session is as the engine has seen it, or, of an older engine, as it can send: %j',
  (said, verdict, reason) => {
    const [number, text] = said
    const spec = fc.sample(anyWireguard, 1)[0]!
    const status = received([
      ...encodePort(spec),
      attribute.bytes(attributeType.publicKey, new Uint8Array(32)),
      attribute.u8(attributeType.sessionState, 2),
      ...(number === undefined ? [] : [attribute.u8(attributeType.sessionVerdict, number)]),
      ...(text === undefined ? [] : [attribute.text(attributeType.text, text)]),
    ])
    expect(status).toMatchObject({ verdict, reason })
  },
)

test.each<PortSpec>([
  { id: 'one:c', kind: 'tun', namespace: 'inode://4/5', interfaceName: 'nsm-1' },
  { id: 'one:c', kind: 'tap', namespace: 'inode://4/5', interfaceName: 'nsm-1' },
])('a $kind port reads as it was set, with its ifindex', (spec) => {
  expect(received([...encodePort(spec), attribute.u32(attributeType.ifindex, 9)])).toEqual({ ...spec, ifindex: 9 })
  expect(received(encodePort(spec))).toEqual({ ...spec, ifindex: 0 })
})

test('a vxlan port reads as it was set', () => {
  const spec: PortSpec = {
    id: 'one:s',
    kind: 'vxlan',
    underlay: 'v',
    vni: 2 ** 24 - 1,
    peer: { ip: '192.0.2.1', port: 4789 },
    mtuBytes: 1446,
  }
  expect(received(encodePort(spec))).toEqual(spec)
})

test('a port without what its kind needs is not of this protocol', () => {
  const whole = encodePort({ id: 'one:c', kind: 'tun', namespace: 'inode://4/5', interfaceName: 'nsm-1' })
  for (const { type } of whole) {
    expect(() => received(whole.filter((entry) => entry.type !== type))).toThrow(
      'Cannot read what the dataplane answered',
    )
  }
})
