import { expect, test } from 'vitest'
import {
  checkInterfaceName,
  formatMac,
  formatNamespaceId,
  formatSocketAddress,
  isInterfaceName,
  normalizeMac,
  parseMac,
  parseNamespaceId,
  parseSocketAddress,
  udpOverheadBytes,
} from './index.ts'

test.each(['nsm-1', 'a', 'fifteen-letters', 'eth0.100', 'ö'])('isInterfaceName takes %j', (name) => {
  expect(isInterfaceName(name)).toBe(true)
})

test.each(['', 'sixteen-letters-', 'ööööööööö', '.', '..', 'lo', 'a/b', 'a b', 'a\tb', 'a\nb', 'a:b', 'a%d', 'a\0b'])(
  'checkInterfaceName refuses %j with the reason',
  (name) => {
    expect(isInterfaceName(name)).toBe(false)
    expect(() => checkInterfaceName(name)).toThrow(/^Cannot use the interface name: it (is|contains)/)
  },
)

test('parseNamespaceId reads what formatNamespaceId writes, 64 bits wide', () => {
  const text = 'inode://4/18446744073709551615'
  expect(formatNamespaceId(parseNamespaceId(text))).toBe(text)
})

test.each([
  '',
  'inode://4',
  'inode://4/',
  'inode://4/0',
  'inode:///5',
  'inode://4/5/6',
  'inode://04/5',
  'inode://4/18446744073709551616',
  'file:///proc/1/ns/net',
])('parseNamespaceId refuses %j', (text) => {
  expect(() => parseNamespaceId(text)).toThrow('it is not inode://<dev>/<inode>')
})

test('parseSocketAddress reads both families and normalizes the address', () => {
  expect(parseSocketAddress('192.0.2.1:5001')).toEqual({ ip: '192.0.2.1', port: 5001 })
  expect(formatSocketAddress(parseSocketAddress('[2001:DB8::1]:65535'))).toBe('[2001:db8::1]:65535')
})

test.each([
  '',
  '192.0.2.1',
  '192.0.2.1:',
  '192.0.2.1:65536',
  '192.0.2.1:-1',
  '192.0.2.1:080',
  '[192.0.2.1]:80',
  '2001:db8::1:80',
  '[::1]',
  'host:80',
])('parseSocketAddress refuses %j', (text) => {
  expect(() => parseSocketAddress(text)).toThrow('Cannot parse the socket address')
})

test('parseMac and formatMac agree, in lower case', () => {
  expect(normalizeMac('02:00:5E:10:00:FF')).toBe('02:00:5e:10:00:ff')
  expect(formatMac(parseMac('00:00:00:00:00:00'))).toBe('00:00:00:00:00:00')
  expect(formatMac(new Uint8Array())).toBe('')
})

test.each(['', '02:00:5e:10:00', '02:00:5e:10:00:ff:01', '02-00-5e-10-00-ff', '2:0:5e:10:0:ff', 'zz:00:00:00:00:00'])(
  'parseMac refuses %j',
  (text) => {
    expect(() => parseMac(text)).toThrow('Cannot parse the MAC address')
  },
)

test('the overhead of UDP is that of its header and IP’s', () => {
  expect([udpOverheadBytes(4), udpOverheadBytes(6)]).toEqual([28, 48])
})
