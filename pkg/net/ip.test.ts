import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorCode } from '../base/index.ts'
import { bigintToIp, formatIp, ipToBigint, isIp, normalizeIp, parseIp } from './index.ts'

const anyIpBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
)

test('formatIp and parseIp are each other’s inverse', () => {
  fc.assert(
    fc.property(anyIpBytes, (bytes) => {
      expect(parseIp(formatIp(bytes))).toEqual(bytes)
    }),
  )
})

test('ipToBigint and bigintToIp are each other’s inverse', () => {
  fc.assert(
    fc.property(anyIpBytes, (bytes) => {
      expect(bigintToIp(ipToBigint(bytes), bytes.length === 4 ? 4 : 6)).toEqual(bytes)
    }),
  )
})

test.each([
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // RFC 5952 section 4.2.3: the first of equal runs
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // section 4.2.2: a single group is not shortened
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['fe80::', 'fe80::'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['10.0.0.1', '10.0.0.1'],
])('normalizeIp spells %s as %s', (text, canonical) => {
  expect(normalizeIp(text)).toBe(canonical)
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4 ',
  '-1.2.3.4',
  '0x1.2.3.4',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  '12345::',
  'fe80::1%eth0',
  '::1.2.3',
  '1.2.3.4::',
  '::1.2.3.4:5',
  'g::',
  '1:2:3:4:5:6:7:1.2.3.4',
])('parseIp refuses %j', (text) => {
  expect(isIp(text)).toBe(false)
  expect(() => parseIp(text)).toThrow('Cannot parse the IP address')
})

test('parseIp throws nothing but invalid_argument, whatever it reads', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcf:./') }), (text) => {
      try {
        expect(normalizeIp(formatIp(parseIp(text)))).toBe(normalizeIp(text))
      } catch (error) {
        expect(errorCode(error)).toBe('invalid_argument')
      }
    }),
  )
})
