import type { Reach } from './routable.ts'
import { parseSocketAddress } from './socket-address.ts'

/**
 * Whether `url` is `tcp://<ip>:<port>` with an address within `reach`: what a node may be called at. Host names are
 * refused: what they lead to would be decided anew at each call.
 */
export function isReachableUrl(url: string, reach: Reach): boolean {
  const [, address] = /^tcp:\/\/(.+)$/.exec(url) ?? []
  if (address === undefined) return false
  try {
    const { ip, port } = parseSocketAddress(address)
    return port > 0 && reach(ip)
  } catch {
    return false
  }
}
