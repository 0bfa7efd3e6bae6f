/** VXLAN network identifiers: 24 bits, 0 means "not chosen yet". */
import { NsmError } from '../base/index.ts'
import { parseIp } from '../net/index.ts'

export const MAX_VNI = 2 ** 24 - 1

export interface VniDraw {
  readonly srcIp: string
  readonly dstIp: string
  /** Is it in use with this source already? */
  readonly isTaken: (vni: number) => boolean
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

/** With half of all numbers taken, a free one is missed once in 2^128. */
const MOST_DRAWS = 128

/**
 * Draws a VNI that is free. Its parity tells the two directions between a pair of nodes apart, so that two forwarders
 * that choose at the same time never collide: even where the source address is not greater than the destination's.
 *
 * @throws {NsmError} `resource_exhausted` when no free number comes up
 */
export function drawVni({ srcIp, dstIp, isTaken, random = Math.random }: VniDraw): number {
  const parity = Buffer.compare(parseIp(srcIp), parseIp(dstIp)) <= 0 ? 0 : 1
  for (let draw = 0; draw < MOST_DRAWS; draw += 1) {
    const vni = 2 * Math.floor(random() * 2 ** 23) + parity
    if (vni !== 0 && !isTaken(vni)) return vni
  }
  throw new NsmError('resource_exhausted', 'Cannot choose a VNI: nearly all are in use', { fields: { srcIp, dstIp } })
}
