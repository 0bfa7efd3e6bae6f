import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyIp, anyMtu, anyPort, expectRefusal, maybe } from './testing/arbitraries.ts'
import { drawVni, MAX_VNI, readVxlan, writeVxlan } from './vxlan.ts'

const peer = maybe(fc.record({ ip: anyIp, port: anyPort }))
const vxlan = fc.record({
  src: peer,
  dst: peer,
  originalSrcIp: maybe(anyIp),
  originalDstIp: maybe(anyIp),
  vni: maybe(fc.integer({ min: 1, max: MAX_VNI })),
  mtuBytes: anyMtu,
})

describe('parameters of VXLAN', () => {
  test('survive the round trip', () => {
    fc.assert(
      fc.property(vxlan, (value) => {
        expect(readVxlan(writeVxlan(value))).toEqual(value)
      }),
    )
  })

  test('mean the port of RFC 7348 where it is missing', () => {
    expect(readVxlan({ src_ip: '192.0.2.1' }).src).toEqual({ ip: '192.0.2.1', port: 4789 })
  })

  test.each([
    ['vni', { vni: '16777216' }],
    ['dst_ip', { dst_ip: '300.1.1.1' }],
    ['orig_src_ip', { orig_src_ip: 'here' }],
  ])('are refused with a bad %s, by its name', (parameter, parameters) => {
    expectRefusal(() => readVxlan(parameters as Record<string, string>), parameter)
  })
})

describe('drawVni', () => {
  test('is free, in range, and its parity tells the two directions apart', () => {
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

  test('never gives 0 and gives up when all are taken', () => {
    const ends = { srcIp: '192.0.2.1', dstIp: '192.0.2.2' }
    const draws = [0, 0.5]
    expect(drawVni({ ...ends, isTaken: () => false, random: () => draws.shift() ?? 0 })).toBe(2 ** 23)
    expect(() => drawVni({ ...ends, isTaken: () => true })).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
  })
})
