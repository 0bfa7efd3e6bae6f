/** An IP address and a port as one text: `192.0.2.1:5001`, `[2001:db8::1]:5001`. */
import { NsmError } from '../base/index.ts'
import { isIp, normalizeIp } from './ip.ts'

export interface SocketAddress {
  readonly ip: string
  readonly port: number
}

const MAX_PORT = 65_535

/** @throws {NsmError} `invalid_argument`; host names are not resolved */
export function parseSocketAddress(text: string): SocketAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\d.]+)):(0|[1-9]\d{0,4})$/.exec(text)
  const ip = match?.[1] ?? match?.[2] ?? ''
  const isBracketed = match?.[1] !== undefined
  if (match === null || Number(match[3]) > MAX_PORT || !isIp(ip) || isBracketed !== ip.includes(':')) {
    throw new NsmError(
      'invalid_argument',
      'Cannot read the socket address: it is not <ipv4>:<port> or [<ipv6>]:<port>',
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
