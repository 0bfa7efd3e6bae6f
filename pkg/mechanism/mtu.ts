/** How large the inner packets of a wire may be. 0 or undefined means that no limit is known yet. */
import { NsmError } from '../base/index.ts'
import { type IpFamily, ipFamily, MIN_IPV4_MTU_BYTES, parseIp } from '../net/index.ts'

/** The packets of a wire that never leaves the node have to fit into no outer packet. */
export const LOCAL_MTU_BYTES = 9000

export interface TunnelRoom {
  /** MTU of the link through which the outer packets leave. */
  readonly linkMtuBytes: number
  /** Address of either end: both have one family, which decides the size of the outer header. */
  readonly ip: string
  /** The headers that the tunnel puts around an inner IP packet. */
  readonly overheadBytes: (family: IpFamily) => number
}

/** @throws {NsmError} `failed_precondition` if too little is left for an IP packet */
export function tunnelMtuBytes({ linkMtuBytes, ip, overheadBytes }: TunnelRoom): number {
  const overhead = overheadBytes(ipFamily(parseIp(ip)))
  const mtuBytes = linkMtuBytes - overhead
  if (mtuBytes >= MIN_IPV4_MTU_BYTES) return mtuBytes
  throw new NsmError('failed_precondition', 'Cannot tunnel: the MTU of the link is too small', {
    fields: { linkMtuBytes, overhead },
  })
}

/** The smallest MTU that any hop has set; undefined if none has. */
export function lowestMtuBytes(...mtus: readonly (number | undefined)[]): number | undefined {
  const set = mtus.flatMap((mtuBytes = 0) => (mtuBytes > 0 ? [mtuBytes] : []))
  return set.length === 0 ? undefined : Math.min(...set)
}
