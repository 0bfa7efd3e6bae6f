import { expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { lowestMtuBytes, tunnelMtuBytes } from './mtu.ts'
import { vxlanOverheadBytes } from './vxlan.ts'
import { frameOverheadBytes, packetOverheadBytes } from './wireguard/wireguard.ts'

test('overheads are those of the wire formats', () => {
  expect([vxlanOverheadBytes(4), vxlanOverheadBytes(6)]).toEqual([54, 74])
  expect([packetOverheadBytes(4), packetOverheadBytes(6)]).toEqual([60, 80])
  expect([frameOverheadBytes(4), frameOverheadBytes(6)]).toEqual([80, 100])
})

test.each([
  ['WIREGUARD', { linkMtuBytes: 1500, ip: '192.0.2.1', overheadBytes: packetOverheadBytes }, 1440],
  ['WIREGUARD', { linkMtuBytes: 1500, ip: '2001:db8::1', overheadBytes: packetOverheadBytes }, 1420],
  ['WIREGUARD of frames', { linkMtuBytes: 1500, ip: '192.0.2.1', overheadBytes: frameOverheadBytes }, 1420],
  ['VXLAN', { linkMtuBytes: 1500, ip: '192.0.2.1', overheadBytes: vxlanOverheadBytes }, 1446],
  ['VXLAN', { linkMtuBytes: 9000, ip: '2001:db8::1', overheadBytes: vxlanOverheadBytes }, 8926],
] as const)('tunnelMtuBytes of %s with %j is %i', (_, room, mtuBytes) => expect(tunnelMtuBytes(room)).toBe(mtuBytes))

test('tunnelMtuBytes refuses a link that leaves no room', () => {
  const room = { linkMtuBytes: 600, ip: '192.0.2.1', overheadBytes: packetOverheadBytes }
  expect(() => tunnelMtuBytes(room)).toThrow(NsmError)
})

test.each([
  [[0, undefined], undefined],
  [[0, 1500, undefined, 1400], 1400],
])('lowestMtuBytes of %j is %s', (mtus, lowest) => expect(lowestMtuBytes(...mtus)).toBe(lowest))
