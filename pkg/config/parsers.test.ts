import { describe, expect, it } from 'vitest'
import {
  absolutePath,
  boolean,
  duration,
  ip,
  list,
  logLevel,
  name,
  type Parser,
  port,
  prefix,
  uapiSocket,
  url,
} from './index.ts'

const good: readonly (readonly [Parser<unknown>, string, unknown])[] = [
  [duration, '10m', 600_000],
  [duration, '1h30m', 5_400_000],
  [duration, '250ms', 250],
  [duration, '1.5s', 1500],
  [ip, '::1', '::1'],
  [url('tcp', 'unix'), 'tcp://[fd00::1]:5001', 'tcp://[fd00::1]:5001'],
  [url('tcp', 'unix'), 'unix:///run/nsm.sock', 'unix:///run/nsm.sock'],
  [url('tcp'), 'tcp://registry.example:5002', 'tcp://registry.example:5002'],
  [list(name), ' a , b,', ['a', 'b']],
  [boolean, 'true', true],
  [boolean, '0', false],
  [logLevel, 'WARN', 'warn'],
  [absolutePath, '/a', '/a'],
  [port, '5001', 5001],
  [list(prefix), '10.96.0.0/12, FD00:0::/64', ['10.96.0.0/12', 'fd00::/64']],
  [uapiSocket, '/var/run/wireguard/nsmesh.sock', '/var/run/wireguard/nsmesh.sock'],
]

const bad: readonly (readonly [Parser<unknown>, string])[] = [
  [duration, '10'],
  [duration, '-1m'],
  [duration, '10m x'],
  [duration, ''],
  [ip, 'localhost'],
  [prefix, '10.96.0.1'],
  [prefix, '10.96.0.1/12'],
  [prefix, 'everything'],
  [url('tcp'), 'tcp://10.0.0.1'],
  [url('tcp'), 'tcp://10.0.0.1:99999'],
  [url('tcp'), 'unix:///a'],
  [url('unix'), 'unix://a'],
  [name, 'A'],
  [name, '-a'],
  [name, 'a'.repeat(64)],
  [boolean, 'yes'],
  [logLevel, 'loud'],
  [absolutePath, 'a/b'],
  [port, '0'],
  [port, '1e3'],
  [uapiSocket, 'nsmesh.sock'],
  [uapiSocket, '/var/run/wireguard/nsmesh'],
  [uapiSocket, '/var/run/wireguard/sixteen-letters-.sock'],
  [uapiSocket, '/var/run/wireguard/.sock'],
  [uapiSocket, `/${'a'.repeat(100)}/n.sock`],
]

describe('parsers', () => {
  it.each(good)('%o reads %j', (parse, value, wanted) => {
    expect(parse(value)).toEqual(wanted)
  })
  it.each(bad)('%o refuses %j with a reason', (parse, value) => {
    expect(() => parse(value)).toThrow(/^must /)
  })
})
