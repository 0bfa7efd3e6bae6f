/** An IP address and a port, written as `192.0.2.1:5001` or `[2001:db8::1]:5001`. */
import { NsmError } from '../base/index.ts'
import { isIp, normalizeIp } from './ip.ts'

export interface SocketAddress {
  readonly ip: string
  readonly port: number
}

export const MAX_PORT = 65_535

/** Does not resolve host names. @throws {NsmError} `invalid_argument` */
export function parseSocketAddress(text: string): SocketAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\d.]+)):(0|[1-9]\d{0,4})$/.exec(text)
  const ip = match?.[1] ?? match?.[2] ?? ''
  const isBracketed = match?.[1] !== undefined
  if (match === null || Number(match[3]) > MAX_PORT || !isIp(ip) || isBracketed !== ip.includes(':')) {
    throw new NsmError(
      'invalid_argument',
      'Cannot parse the socket address: it is not <ipv4>:<port> or [<ipv6>]:<port>',
      {
        fields: { address: text.slice(0, 64) },
      },
    )
  }
  return { ip: normalizeIp(ip), port: Number(match[3]) }
}

export function formatSocketAddress({ ip, port }: SocketAddress): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

/** Whether both are the same, however they are spelt. */
export function isSameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && normalizeIp(a.ip) === normalizeIp(b.ip)
}
