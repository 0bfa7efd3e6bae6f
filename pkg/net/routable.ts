/**
 * Which addresses can lead to another machine. What others tell us to connect to is held to this: an address that means
 * something else on each machine would make us call ourselves, or the service that gives a cloud machine its secrets.
 */
import { bigintToIp, formatIp, ipToBigint, parseIp } from './ip.ts'
import { contains, type Prefix, parsePrefix } from './prefix.ts'
import { isSpecial } from './special-ranges.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map(parsePrefix)
const UNSPECIFIED = ['0.0.0.0/32', '::/128', '::ffff:0.0.0.0/128'].map(parsePrefix)

/** Prefixes behind which a translator or a tunnel finds an IPv4 address, and how many bits follow that address. */
const EMBEDDING = [
  { prefix: parsePrefix('64:ff9b::/96'), bitsAfter: 0n }, // RFC 6052
  { prefix: parsePrefix('2002::/16'), bitsAfter: 80n }, // RFC 3056
]

/** False also for what is no address. */
export function isRoutable(text: string): boolean {
  const ip = parse(text)
  if (ip === undefined || isSpecial(ip)) return false
  const embedding = EMBEDDING.find(({ prefix }) => contains(prefix, ip))
  if (embedding === undefined) return true
  return isRoutable(formatIp(bigintToIp((ipToBigint(ip) >> embedding.bitsAfter) & 0xffff_ffffn, 4)))
}

export function isLoopback(text: string): boolean {
  return isIn(LOOPBACK, text)
}

/** Whether a socket that is bound to it is bound to every address of the machine. */
export function isUnspecified(text: string): boolean {
  return isIn(UNSPECIFIED, text)
}

function isIn(prefixes: readonly Prefix[], text: string): boolean {
  const ip = parse(text)
  return ip !== undefined && prefixes.some((prefix) => contains(prefix, ip))
}

/** Which IP addresses a program connects to when others tell it to. */
export type Reach = (ip: string) => boolean

/**
 * The reach of a program that others call at `own` addresses: other machines. One that is called on loopback only has
 * its whole mesh on this machine, so it reaches loopback too.
 */
export function reachFrom(own: readonly string[]): Reach {
  const isHere = own.length > 0 && own.every(isLoopback)
  return (ip) => isRoutable(ip) || (isHere && isLoopback(ip))
}

/** As {@link reachFrom}, for addresses as they are advertised: `<host>:<port>`, also as a `tcp://` URL. */
export function reachOf(addresses: readonly string[]): Reach {
  return reachFrom(addresses.map((address) => address.replace(/^(?:tcp:\/\/)?\[?(.*?)\]?:\d+$/, '$1')))
}

function parse(text: string): Uint8Array | undefined {
  try {
    return parseIp(text)
  } catch {
    return undefined
  }
}
