/** How large the inner packets of a wire may be. 0 or undefined means that nobody has said so yet. */
import { NsmError } from '../base/index.ts'
import { type IpFamily, ipFamily, MIN_IPV4_MTU_BYTES, parseIp } from '../net/index.ts'

/** A wire that never leaves the node has no outer packet to fit in. */
export const LOCAL_MTU_BYTES = 9000

export interface TunnelRoom {
  /** MTU of the link that the outer packets leave by. */
  readonly linkMtuBytes: number
  /** Address of the other node: its family decides the size of the outer header. */
  readonly peerIp: string
  /** What the tunnel puts around an inner IP packet. */
  readonly overheadBytes: (family: IpFamily) => number
}

/** @throws {NsmError} `failed_precondition` when what is left is too small for an IP packet */
export function tunnelMtuBytes({ linkMtuBytes, peerIp, overheadBytes }: TunnelRoom): number {
  const overhead = overheadBytes(ipFamily(parseIp(peerIp)))
  const mtuBytes = linkMtuBytes - overhead
  if (mtuBytes >= MIN_IPV4_MTU_BYTES) return mtuBytes
  throw new NsmError('failed_precondition', 'Cannot tunnel: the MTU of the link is too small', {
    fields: { linkMtuBytes, overhead },
  })
}

/** The smallest MTU that anyone on the way has set; undefined when nobody has. */
export function lowestMtuBytes(...mtus: readonly (number | undefined)[]): number | undefined {
  const set = mtus.flatMap((mtuBytes = 0) => (mtuBytes > 0 ? [mtuBytes] : []))
  return set.length === 0 ? undefined : Math.min(...set)
}
