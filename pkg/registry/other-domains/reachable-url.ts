/**
 * Which URLs of endpoints we accept from another domain. Our nodes call them from inside our network, so addresses that
 * mean something different on each machine are refused: they would make our nodes call themselves.
 */
import { contains, parseIp, parsePrefix, parseSocketAddress } from '../../net/index.ts'

const REFUSED = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local; clouds serve a machine's credentials there
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127', // unspecified and loopback
  '::ffff:0:0/96', // IPv4-mapped
  'fe80::/10',
  'ff00::/8',
].map(parsePrefix)

/** Whether `url` is `tcp://<ip>:<port>` with an address that another machine can have. Host names are refused. */
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
