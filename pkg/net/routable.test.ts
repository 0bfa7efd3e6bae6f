import { expect, test } from 'vitest'
import { isLoopback, isRoutable, reachFrom, reachOf } from './routable.ts'

test.each([
  ['192.0.2.1', true],
  ['10.0.0.1', true],
  ['100.64.0.1', true],
  ['2001:db8::1', true],
  ['fd12:3456::1', true],
  ['64:ff9b::192.0.2.1', true],
  ['0.0.0.0', false],
  ['127.0.0.1', false],
  ['127.255.255.254', false],
  ['169.254.169.254', false],
  ['100.100.100.200', false],
  ['168.63.129.16', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::127.0.0.1', false],
  ['::ffff:127.0.0.1', false],
  ['0:0:0:0:0:ffff:a9fe:a9fe', false],
  ['64:ff9b::127.0.0.1', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['2002:7f00:1::', false],
  ['fd00:ec2::254', false],
  ['fd00:ec2::23', false],
  ['fd20:ce::254', false],
  ['fd00:c1::a9fe:a9fe', false],
  ['fd00:42::42', false],
  ['fe80::1', false],
  ['fe8::1', true],
  ['ff02::1', false],
  ['localhost', false],
  ['0177.0.0.1', false],
  ['127.1', false],
  ['', false],
])('isRoutable of %s is %s', (ip, expected) => expect(isRoutable(ip)).toBe(expected))

test('isLoopback', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1'].map(isLoopback)).toEqual([true, true, true])
  expect(['0.0.0.0', '192.0.2.1', '::', 'localhost'].map(isLoopback)).toEqual([false, false, false, false])
})

test('a mesh on one machine reaches loopback, and any other one only other machines', () => {
  const reaches = (...own: string[]) => ['192.0.2.1', '127.0.0.1', '169.254.169.254'].map(reachFrom(own))
  expect(reaches('127.0.0.1')).toEqual([true, true, false])
  expect(reaches('192.0.2.7', '127.0.0.1')).toEqual([true, false, false])
  expect(reaches('registry.test')).toEqual([true, false, false])
  expect(reaches()).toEqual([true, false, false])
})

test('the reach of advertised addresses', () => {
  const reachesLoopback = (...own: string[]) => reachOf(own)('127.0.0.1')
  expect(reachesLoopback('127.0.0.1:5002')).toBe(true)
  expect(reachesLoopback('tcp://127.0.0.1:5001')).toBe(true)
  expect(reachesLoopback('tcp://[::1]:5001')).toBe(true)
  expect(reachesLoopback('192.0.2.1:5002')).toBe(false)
  expect(reachesLoopback('localhost:5002')).toBe(false)
})
