import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bigintToIp,
  checkOnWire,
  contains,
  formatPrefix,
  network,
  noExceptions,
  parseIp,
  parsePrefix,
  whyNeverOnWire,
  whyNotOnWire,
} from './index.ts'

const nothing = { mayBeDefault: false, kept: [] }
const why = (text: string) => whyNotOnWire(parsePrefix(text), nothing)

/** Addresses that no wire may carry, whatever the prefix that leads there. */
const untouchable = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  'fe80::1',
  'febf::1',
  'ff02::1',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
]

test.each([
  '169.254.0.0/15',
  '127.0.0.2/7',
  '0.0.0.0/8',
  '224.0.0.0/3',
  '::ffff:127.0.0.1/128',
  'fe80::/9',
  '::/0',
  '::/3',
  '2000::/3',
  '0.0.0.0/0',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '128.0.0.0/2',
  '64.0.0.0/3',
  '32.0.0.0/3',
  '168.63.129.0/24',
  'fd00:ec2::/32',
])('%s is not for a wire', (text) => expect(why(text)).toBeTypeOf('string'))

test.each([
  '10.0.0.0/8',
  '10.244.1.1/24',
  '172.16.0.0/12',
  '172.16.1.101/32',
  '192.168.0.0/16',
  '8.8.8.8/32',
  '168.254.0.0/16',
  'fd01::/16',
  'fd00::/120',
  '2001:db8::/32',
  '64:ff9b::/96',
])('%s is fine', (text) => expect(why(text)).toBeUndefined())

test('a prefix of any width and with any host bits is refused if it contains an untouchable address', () => {
  const anyWidth = fc.tuple(fc.constantFrom(...untouchable), fc.nat(128), fc.bigInt(0n, 2n ** 128n - 1n))
  fc.assert(
    fc.property(anyWidth, ([text, length, noise]) => {
      const ip = parseIp(text)
      const bits = 8 * ip.length
      const prefix = { family: ip.length === 4 ? 4 : 6, address: ip, length: length % (bits + 1) } as const
      const hostBits = BigInt(bits - prefix.length)
      const base = network(prefix).address.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
      const noisy = { ...prefix, address: bigintToIp(base | (noise & ((1n << hostBits) - 1n)), prefix.family) }
      expect(whyNotOnWire(noisy, nothing), formatPrefix(noisy)).toBeTypeOf('string')
    }),
  )
})

test('what passes contains neither an untouchable nor a kept address', () => {
  const anyPrefix = fc.oneof(
    fc.tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.nat(32)).map(([ip, length]) => make(ip, 4, length)),
    fc.tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.nat(128)).map(([ip, length]) => make(ip, 6, length)),
  )
  const kept = ['10.244.1.1', '192.0.2.254', 'fd01::1'].map((ip) => ({ ip: parseIp(ip), what: 'the gateway' }))
  fc.assert(
    fc.property(anyPrefix, fc.boolean(), (prefix, mayBeDefault) => {
      if (whyNotOnWire(prefix, { mayBeDefault, kept }) !== undefined || prefix.length <= 1) return
      for (const { ip } of [...kept, ...untouchable.map((text) => ({ ip: parseIp(text) }))]) {
        expect(contains(prefix, ip), formatPrefix(prefix)).toBe(false)
      }
    }),
  )
})

test('a default route or its halves need to be asked for', () => {
  for (const text of ['0.0.0.0/0', '128.0.0.0/1', '::/0', '8000::/1']) {
    expect(why(text)).toMatch(/wider than any private network/)
    expect(whyNotOnWire(parsePrefix(text), { mayBeDefault: true, kept: [] })).toBeUndefined()
  }
  expect(whyNotOnWire(parsePrefix('224.0.0.0/3'), { mayBeDefault: true, kept: [] })).toMatch(/multicast/)
})

test.each([
  ...['0.0.0.0/0', '128.0.0.0/1', '::/0', '8000::/1', '0.0.0.0/8', '127.0.0.1/32', '126.0.0.0/7', '224.0.0.0/4'],
  ...['240.0.0.1/32', '::1/128', '::ffff:10.0.0.1/128', 'fe80::/64', 'ff02::1/128', 'fe00::/8'],
])('%s is never on a wire, whatever an operator allows', (text) => {
  expect(whyNeverOnWire(parsePrefix(text))).toBeTypeOf('string')
  const exceptions = { ...noExceptions, isAllowed: () => true }
  expect(() => checkOnWire(text, { ...nothing, exceptions })).toThrow('Cannot put the prefix on a wire')
})

test.each([
  ['10.9.9.9/8', '10.0.0.0/8'],
  ['169.254.169.254/32', '169.254.169.254/32'],
  ['fd00:ec2::23/128', 'fd00:ec2::23/128'],
  ['8.0.0.0/5', '8.0.0.0/5'],
  ['2000::/3', '2000::/3'],
])('%s is on a wire if an operator allows %s', (text, asked) => {
  const kept = [{ ip: parseIp('10.0.0.7'), what: 'the address of the node' }]
  const heard: string[] = []
  const exceptions = (isAllowed: boolean) => ({
    isAllowed: (prefix: string) => heard.push(prefix) > 0 && isAllowed,
    advice: (prefix: string) => `allow ${prefix}`,
  })
  checkOnWire(text, { mayBeDefault: false, kept, exceptions: exceptions(true) })
  const check = () => checkOnWire(text, { mayBeDefault: false, kept, exceptions: exceptions(false) })
  expect(check).toThrow(expect.objectContaining({ code: 'invalid_argument', next: `allow ${asked}` }))
  expect(heard).toEqual([asked, asked])
})

test('an operator is not asked for what every wire may have', () => {
  const exceptions = { ...noExceptions, isAllowed: () => expect.unreachable() }
  checkOnWire('172.16.1.1/32', { ...nothing, exceptions })
  checkOnWire('0.0.0.0/0', { kept: [], mayBeDefault: true, exceptions })
})

test('a kept address is named', () => {
  const kept = [{ ip: parseIp('10.244.1.1'), what: 'the gateway of the pod' }]
  expect(whyNotOnWire(parsePrefix('10.244.1.9/24'), { mayBeDefault: false, kept })).toBe(
    'it contains the gateway of the pod',
  )
})

function make(ip: bigint, family: 4 | 6, length: number) {
  return { family, address: bigintToIp(ip, family), length }
}
