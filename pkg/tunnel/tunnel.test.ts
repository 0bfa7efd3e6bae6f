import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { isInterfaceName } from '../net/index.ts'
import {
  drawVni,
  generateInterfaceName,
  generateKey,
  lowestMtuBytes,
  MAX_VNI,
  negotiateAead,
  publicKeyOf,
  readVxlan,
  readWireguard,
  tunnelMtuBytes,
  writeVxlan,
  writeWireguard,
} from './index.ts'

const ip = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', 'fd00::2'))
const port = fc.integer({ min: 1, max: 65_535 })
const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => Buffer.from(bytes).toString('base64'))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const aead = fc.constantFrom('aes256gcm' as const, 'chacha20poly1305' as const)
const mtu = maybe(fc.integer({ min: 1, max: 65_535 }))

const wireguardSide = maybe(fc.record({ ip, port, publicKey: key, nodeKey: maybe(key) }))
const wireguard = fc.record({
  src: wireguardSide,
  dst: wireguardSide,
  aeads: fc.uniqueArray(aead),
  pathMessages: fc.boolean(),
  aead: maybe(aead),
  offersFrames: fc.boolean(),
  carriesFrames: fc.boolean(),
  mtuBytes: mtu,
})
const vxlanSide = maybe(fc.record({ ip, port }))
const vxlan = fc.record({
  src: vxlanSide,
  dst: vxlanSide,
  originalSrcIp: maybe(ip),
  originalDstIp: maybe(ip),
  vni: maybe(fc.integer({ min: 1, max: MAX_VNI })),
  mtuBytes: mtu,
})

function expectRefusal(action: () => unknown, parameter: string): void {
  expect(action).toThrow(
    expect.objectContaining({ code: 'invalid_argument', fields: expect.objectContaining({ parameter }) }),
  )
}

describe('mechanism parameters', () => {
  test('WIREGUARD survives the round trip', () => {
    fc.assert(
      fc.property(wireguard, (value) => {
        expect(readWireguard(writeWireguard(value))).toEqual(value)
      }),
    )
  })

  test('VXLAN survives the round trip', () => {
    fc.assert(
      fc.property(vxlan, (value) => {
        expect(readVxlan(writeVxlan(value))).toEqual(value)
      }),
    )
  })

  test('a foreign peer leaves out what only nsmesh knows, and its ports may be missing', () => {
    const src_public_key = generateKey().publicKey
    expect(readWireguard({ src_public_key, src_ip: '192.0.2.1' })).toEqual({
      src: { ip: '192.0.2.1', port: 51820, publicKey: src_public_key, nodeKey: undefined },
      dst: undefined,
      aeads: [],
      pathMessages: false,
      aead: undefined,
      offersFrames: false,
      carriesFrames: false,
      mtuBytes: undefined,
    })
    expect(readVxlan({ src_ip: '192.0.2.1' }).src).toEqual({ ip: '192.0.2.1', port: 4789 })
  })

  test('AEADs that nobody here knows are passed over in an offer', () => {
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
    ['src_port', { src_public_key: generateKey().publicKey, src_ip: '192.0.2.1', src_port: '65536' }],
    ['src_port', { src_public_key: generateKey().publicKey, src_ip: '192.0.2.1', src_port: '0x1' }],
    ['src_node_public_key', { src_public_key: generateKey().publicKey, src_ip: '::1', src_node_public_key: 'x' }],
    ['payload', { payload: 'TOKEN_RING' }],
    ['MTU', { MTU: '-1' }],
    ['MTU', { MTU: '65536' }],
  ])('WIREGUARD refuses a bad %s and names it', (parameter, parameters) => {
    expectRefusal(() => readWireguard(parameters as Record<string, string>), parameter)
  })

  test.each([
    ['vni', { vni: '16777216' }],
    ['dst_ip', { dst_ip: '300.1.1.1' }],
    ['orig_src_ip', { orig_src_ip: 'here' }],
  ])('VXLAN refuses a bad %s and names it', (parameter, parameters) => {
    expectRefusal(() => readVxlan(parameters as Record<string, string>), parameter)
  })

  test('hostile parameters are read or refused, never worse', () => {
    const names = fc.constantFrom('src_ip', 'src_port', 'src_public_key', 'MTU', 'vni', 'aead', 'aeads', '__proto__')
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (parameters) => {
        for (const read of [readWireguard, readVxlan]) {
          try {
            read(parameters)
          } catch (error) {
            expect(error).toBeInstanceOf(NsmError)
          }
        }
      }),
    )
  })
})

describe('negotiation', () => {
  test.each([
    [['aes256gcm', 'chacha20poly1305'], ['aes256gcm'], 'aes256gcm'],
    [['aes256gcm'], ['chacha20poly1305'], 'chacha20poly1305'],
    [['chacha20poly1305', 'aes256gcm'], ['aes256gcm', 'chacha20poly1305'], 'chacha20poly1305'],
    [[], ['aes256gcm'], 'chacha20poly1305'],
    [['aes256gcm'], [], 'chacha20poly1305'],
  ] as const)('negotiateAead of %j and %j is %s', (theirs, ours, taken) => {
    expect(negotiateAead(theirs, ours)).toBe(taken)
  })

  test.each([
    [{ type: 'WIREGUARD', linkMtuBytes: 1500, peerIp: '192.0.2.1' }, 1440],
    [{ type: 'WIREGUARD', linkMtuBytes: 1500, peerIp: '2001:db8::1' }, 1420],
    [{ type: 'WIREGUARD of frames', linkMtuBytes: 1500, peerIp: '192.0.2.1' }, 1420],
    [{ type: 'VXLAN', linkMtuBytes: 1500, peerIp: '192.0.2.1' }, 1446],
    [{ type: 'VXLAN', linkMtuBytes: 9000, peerIp: '2001:db8::1' }, 8926],
  ] as const)('tunnelMtuBytes of %j is %i', (path, mtuBytes) => expect(tunnelMtuBytes(path)).toBe(mtuBytes))

  test('tunnelMtuBytes refuses a link that leaves no room', () => {
    expect(() => tunnelMtuBytes({ type: 'WIREGUARD', linkMtuBytes: 600, peerIp: '192.0.2.1' })).toThrow(NsmError)
  })

  test.each([
    [[0, undefined], undefined],
    [[0, 1500, undefined, 1400], 1400],
  ])('lowestMtuBytes of %j is %s', (mtus, lowest) => expect(lowestMtuBytes(...mtus)).toBe(lowest))
})

describe('choices', () => {
  test('drawVni is free, in range, and its parity tells the two directions apart', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 2 ** 23 - 1 }), (srcIp, dstIp, taken) => {
        const isTaken = (vni: number) => vni >> 1 === taken
        const vni = drawVni({ srcIp, dstIp, isTaken })
        expect(vni).toBeGreaterThan(0)
        expect(vni).toBeLessThanOrEqual(MAX_VNI)
        expect(isTaken(vni)).toBe(false)
        if (srcIp !== dstIp) expect((drawVni({ srcIp: dstIp, dstIp: srcIp, isTaken }) ^ vni) & 1).toBe(1)
      }),
    )
  })

  test('drawVni never gives 0 and gives up when all are taken', () => {
    const ends = { srcIp: '192.0.2.1', dstIp: '192.0.2.2' }
    const draws = [0, 0.5]
    expect(drawVni({ ...ends, isTaken: () => false, random: () => draws.shift() ?? 0 })).toBe(2 ** 23)
    expect(() => drawVni({ ...ends, isTaken: () => true })).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
  })

  test('generateInterfaceName is a name of 15 characters that starts like the service', () => {
    expect(generateInterfaceName('lab-svc', () => 10)).toBe('lab-svc-aaaaaaa')
    expect(generateInterfaceName('a-very-long-service', () => 0)).toBe('a-very-lon-0000')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (service) => {
        const name = generateInterfaceName(service)
        expect(name).toHaveLength(15)
        expect(isInterfaceName(name)).toBe(true)
      }),
    )
  })

  test('publicKeyOf agrees with RFC 7748 section 6.1', () => {
    const bob = Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex')
    const itsPublicKey = Buffer.from('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f', 'hex')
    expect(publicKeyOf(bob.toString('base64'))).toBe(itsPublicKey.toString('base64'))
    const { privateKey, publicKey } = generateKey()
    expect(publicKeyOf(privateKey)).toBe(publicKey)
    expect(generateKey().publicKey).not.toBe(publicKey)
  })
})
