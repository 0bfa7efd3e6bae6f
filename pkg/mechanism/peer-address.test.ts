import { describe, expect, test } from 'vitest'
import { errorCode } from '../base/index.ts'
import { checkPeer } from './parameters.ts'

const outcome = (ip: string, own: string) => {
  try {
    return checkPeer({ ip, port: 51_820 }, { ip: own }).ip
  } catch (error) {
    return errorCode(error)
  }
}

describe('The other end of a tunnel', () => {
  test.each([
    ['192.0.2.1', '192.0.2.7'],
    ['10.0.0.1', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::7'],
  ])('may be at %s', (ip, own) => {
    expect(outcome(ip, own)).toBe(ip)
  })

  test.each([
    ['192.0.2.1', '2001:db8::7', /it is an IPv4 address, and the tunnels of this node have IPv6/],
    ['2001:db8::1', '192.0.2.7', /it is an IPv6 address, and the tunnels of this node have IPv4/],
  ])('may not be at %s where this node is at %s', (ip, own, message) => {
    expect(() => checkPeer({ ip, port: 51_820 }, { ip: own })).toThrow(message)
  })

  test.each([
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '169.254.169.254',
    '::ffff:127.0.0.1',
    'fe80::1',
    '224.0.0.1',
    '255.255.255.255',
  ])('may not be at %s', (ip) => {
    expect(outcome(ip, '192.0.2.7')).toBe('invalid_argument')
  })

  test('may be on loopback where this node is too', () => {
    expect(outcome('127.0.0.1', '127.0.0.1')).toBe('127.0.0.1')
    expect(outcome('169.254.169.254', '127.0.0.1')).toBe('invalid_argument')
  })
})
