/**
 * Addresses to bind and addresses to tell are two things: behind a NAT they differ, and one that stands for every address
 * of a machine (0.0.0.0, ::) can be bound and means nothing to others.
 */
import { ipFamily, isIp, isUnspecified, parseIp } from '../net/index.ts'
import { ip, url } from './parsers.ts'
import type { Parser } from './table.ts'

/** An IP address under which others know this machine. */
export const toldIp: Parser<string> = (value) => {
  if (!isUnspecified(ip(value))) return value
  throw new Error('stands for every address of the machine, which nobody else can use')
}

/** `tcp://<ip>:<port>`, at which other nodes call this one. They resolve no names for each other. */
export const toldUrl: Parser<string> = (value) => {
  const host = hostOf(url('tcp')(value))
  if (!isIp(host)) throw new Error('has a name, and nodes call each other by IP addresses')
  toldIp(host)
  return value
}

/** `host:port`, at which nodes and other domains call a registry. A name is resolved by those who call. */
export const toldHostAndPort: Parser<string> = (value) => {
  try {
    url('tcp')(`tcp://${value}`)
  } catch {
    throw new Error('must be host:port')
  }
  const host = hostOf(`tcp://${value}`)
  if (isIp(host)) toldIp(host)
  return value
}

export interface NodeAddresses {
  readonly listenOn: string
  readonly publicUrl: string | undefined
  readonly tunnelIp: string
  readonly tunnelListenIp: string | undefined
}

/** What is wrong with the addresses of a node together. */
export function checkNodeAddresses({ listenOn, publicUrl, ...tunnel }: NodeAddresses): readonly string[] {
  return [...(publicUrl === undefined ? checkListenOn(listenOn) : []), ...checkTunnel(tunnel)]
}

function checkListenOn(listenOn: string): readonly string[] {
  try {
    toldUrl(listenOn)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [
      `NSM_LISTEN_ON="${listenOn}" ${reason}: set NSM_PUBLIC_URL=tcp://ip:port at which other nodes reach this one`,
    ]
  }
}

function checkTunnel({ tunnelIp, tunnelListenIp = tunnelIp }: Omit<NodeAddresses, 'listenOn' | 'publicUrl'>) {
  const [told, bound] = [tunnelIp, tunnelListenIp].map((each) => ipFamily(parseIp(each)))
  if (told === bound) return []
  return [`NSM_TUNNEL_LISTEN_IP="${tunnelListenIp}" must be an IPv${told} address, as NSM_TUNNEL_IP is`]
}

function hostOf(tcpUrl: string): string {
  return tcpUrl.replace(/^tcp:\/\/\[?(.*?)\]?:\d+$/, '$1')
}
