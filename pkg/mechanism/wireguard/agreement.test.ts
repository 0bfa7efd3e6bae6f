import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_PORT } from '../../net/index.ts'
import { generateKey } from '../key.ts'
import { anyIp, anyKey, anyMtu, anyPort, anyTerms, expectRefusal, maybe } from '../testing/arbitraries.ts'
import { AEADS, EXACT_WIREGUARD, negotiateAead, readWireguard, writeWireguard } from './agreement.ts'

const peer = maybe(fc.record({ ip: anyIp, port: anyPort, publicKey: anyKey, nodeKey: maybe(anyKey) }))
const offer = fc.record({
  src: peer,
  dst: peer,
  aeads: fc.uniqueArray(fc.constantFrom(...AEADS)),
  aead: maybe(fc.constantFrom(...AEADS)),
  offersFrames: fc.boolean(),
  carriesFrames: fc.boolean(),
  mtuBytes: anyMtu,
})
const wireguard = fc.tuple(anyTerms, offer).map(([terms, offer]) => ({ ...terms, ...offer }))

describe('parameters of WIREGUARD', () => {
  test('survive the round trip', () => {
    fc.assert(
      fc.property(wireguard, (value) => {
        expect(readWireguard(writeWireguard(value))).toEqual(value)
      }),
    )
  })

  test('are few where a foreign peer leaves out what only nsmesh knows, and its port may be missing', () => {
    const src_public_key = generateKey().publicKey
    expect(readWireguard({ src_public_key, src_ip: '192.0.2.1' })).toEqual({
      ...EXACT_WIREGUARD,
      src: { ip: '192.0.2.1', port: 51820, publicKey: src_public_key, nodeKey: undefined },
      dst: undefined,
      aeads: [],
      aead: undefined,
      offersFrames: false,
      carriesFrames: false,
      mtuBytes: undefined,
    })
  })

  test('pass over AEADs that nobody here knows in an offer', () => {
    const aeadsOf = (aeads: string) => readWireguard({ aeads, aead: 'rot13' }).aeads
    expect(aeadsOf('rot13,aes256gcm, chacha20poly1305,AES256GCM,,constructor')).toEqual(['aes256gcm'])
    expect(aeadsOf('aegis256')).toEqual([])
  })

  test.each([
    ['src_public_key', { src_public_key: 'short', src_ip: '192.0.2.1' }],
    ['src_public_key', { src_public_key: Buffer.alloc(31, 1).toString('base64'), src_ip: '192.0.2.1' }],
    ['src_public_key', { src_public_key: Buffer.alloc(33, 1).toString('base64'), src_ip: '192.0.2.1' }],
    ['src_public_key', { src_public_key: Buffer.alloc(32).toString('base64'), src_ip: '192.0.2.1' }],
    ['src_public_key', { src_public_key: ` ${generateKey().publicKey}`, src_ip: '192.0.2.1' }],
    ['src_ip', { src_public_key: generateKey().publicKey }],
    ['src_ip', { src_public_key: generateKey().publicKey, src_ip: 'localhost' }],
    ['src_port', { src_public_key: generateKey().publicKey, src_ip: '192.0.2.1', src_port: '0' }],
    ['src_port', { src_public_key: generateKey().publicKey, src_ip: '192.0.2.1', src_port: `${MAX_PORT + 1}` }],
    ['src_port', { src_public_key: generateKey().publicKey, src_ip: '192.0.2.1', src_port: '0x1' }],
    ['src_node_public_key', { src_public_key: generateKey().publicKey, src_ip: '::1', src_node_public_key: 'x' }],
    ['payload', { payload: 'TOKEN_RING' }],
    ['MTU', { MTU: '-1' }],
    ['MTU', { MTU: '65536' }],
  ])('are refused with a bad %s, by its name', (parameter, parameters) => {
    expectRefusal(() => readWireguard(parameters as Record<string, string>), parameter)
  })
})

test('exact WireGuard has its AEAD and no probe messages', () => {
  expect(EXACT_WIREGUARD).toMatchObject({ aead: 'chacha20poly1305', probeMessages: false })
})

test.each([
  [['aes256gcm', 'chacha20poly1305'], ['aes256gcm'], 'aes256gcm'],
  [['aes256gcm'], ['chacha20poly1305'], 'chacha20poly1305'],
  [['chacha20poly1305', 'aes256gcm'], ['aes256gcm', 'chacha20poly1305'], 'chacha20poly1305'],
  [[], ['aes256gcm'], 'chacha20poly1305'],
  [['aes256gcm'], [], 'chacha20poly1305'],
] as const)('negotiateAead of %j and %j is %s', (theirs, ours, taken) => {
  expect(negotiateAead(theirs, ours)).toBe(taken)
})
