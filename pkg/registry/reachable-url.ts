/**
 * Which URLs we take from another domain. Whoever calls such a URL does so from inside our network, so that addresses
 * that mean something else to each machine are refused: they would make us call ourselves.
 */
import { contains, parseIp, parsePrefix, parseSocketAddress } from '../net/index.ts'

const REFUSED = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and where clouds keep the secrets of a machine
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127', // unspecified and loopback
  '::ffff:0:0/96', // IPv4 in disguise
  'fe80::/10',
  'ff00::/8',
].map(parsePrefix)

/** Whether `url` is `tcp://<ip>:<port>` with an address that another machine can have. Host names are not resolved. */
export function isReachableUrl(url: string): boolean {
  const [, address] = /^tcp:\/\/(.+)$/.exec(url) ?? []
  if (address === undefined) return false
  try {
    const { ip, port } = parseSocketAddress(address)
    return port > 0 && !REFUSED.some((prefix) => contains(prefix, parseIp(ip)))
  } catch {
    return false
  }
}
