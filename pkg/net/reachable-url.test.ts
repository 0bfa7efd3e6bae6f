import { expect, test } from 'vitest'
import { isReachableUrl } from './reachable-url.ts'
import { isRoutable } from './routable.ts'

test.each([
  ['tcp://192.0.2.1:5001', true],
  ['tcp://10.0.0.1:5001', true],
  ['tcp://[2001:db8::1]:5001', true],
  ['tcp://127.0.0.1:5001', false],
  ['tcp://127.255.0.1:5001', false],
  ['tcp://0.0.0.0:5001', false],
  ['tcp://169.254.169.254:80', false],
  ['tcp://224.0.0.1:5001', false],
  ['tcp://255.255.255.255:5001', false],
  ['tcp://[::1]:5001', false],
  ['tcp://[::]:5001', false],
  ['tcp://[::ffff:127.0.0.1]:5001', false],
  ['tcp://[0:0:0:0:0:ffff:7f00:1]:5001', false],
  ['tcp://[fe80::1]:5001', false],
  ['tcp://[fe80::1%25eth0]:5001', false],
  ['tcp://192.0.2.1:0', false],
  ['tcp://192.0.2.1', false],
  ['tcp://0177.0.0.1:1', false],
  ['tcp://localhost:5001', false],
  ['tcp://user@192.0.2.1:5001', false],
  ['tcp://192.0.2.1:5001/x', false],
  ['unix:///run/x.sock', false],
  ['http://192.0.2.1:5001', false],
  ['', false],
])('isReachableUrl of %s is %s', (url, expected) => expect(isReachableUrl(url, isRoutable)).toBe(expected))
