import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bigintToIp, contains, formatPrefix, hostPrefix, ipToBigint, network, overlaps, parsePrefix } from './index.ts'

const anyPrefix = fc.oneof(
  fc.tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => make(ip, 4, length)),
  fc.tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.integer({ min: 0, max: 128 })).map(([ip, length]) => make(ip, 6, length)),
)

function make(ip: bigint, family: 4 | 6, length: number) {
  return { family, address: bigintToIp(ip, family), length }
}

test('formatPrefix and parsePrefix are each other’s inverse', () => {
  fc.assert(
    fc.property(anyPrefix, (prefix) => {
      expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix)
    }),
  )
})

test('network is idempotent, contained in, and contains, its prefix', () => {
  fc.assert(
    fc.property(anyPrefix, (prefix) => {
      const net = network(prefix)
      expect(network(net)).toEqual(net)
      expect(contains(prefix, net.address)).toBe(true)
      expect(contains(net, prefix.address)).toBe(true)
    }),
  )
})

test('contains agrees with the range from first to last address', () => {
  fc.assert(
    fc.property(anyPrefix, fc.bigInt(0n, 2n ** 32n - 1n), (prefix, number) => {
      const ip = bigintToIp(number, prefix.family)
      const first = ipToBigint(network(prefix).address)
      const size = 1n << BigInt(8 * prefix.address.length - prefix.length)
      expect(contains(prefix, ip)).toBe(number >= first && number < first + size)
    }),
  )
})

test('overlaps is symmetric, and never true across families', () => {
  fc.assert(
    fc.property(anyPrefix, anyPrefix, (a, b) => {
      expect(overlaps(a, b)).toBe(overlaps(b, a))
      if (a.family !== b.family) expect(overlaps(a, b)).toBe(false)
    }),
  )
})

test('hostPrefix covers exactly its address', () => {
  expect(formatPrefix(hostPrefix('172.16.1.1'))).toBe('172.16.1.1/32')
  expect(formatPrefix(hostPrefix('2001:DB8::1'))).toBe('2001:db8::1/128')
})

test.each([
  '',
  '10.0.0.1',
  '10.0.0.1/',
  '10.0.0.1/33',
  '10.0.0.1/-1',
  '10.0.0.1/08',
  '::/129',
  '/24',
  '10.0.0.1/24/24',
  '10.0.0.1/2 4',
])('parsePrefix refuses %j', (text) => {
  expect(() => parsePrefix(text)).toThrow(/^Cannot parse the (prefix|IP address): /)
})
