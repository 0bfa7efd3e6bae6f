import { isIP } from 'node:net'
import { NsmError } from '../base/index.ts'
import { MAX_PORT } from '../net/index.ts'

export type Target =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * Parses `tcp://host:port`, `tcp://[v6]:port` or `unix:///path`.
 *
 * @throws {NsmError} `invalid_argument`
 */
export function parseTarget(url: string): Target {
  const unix = /^unix:(?:\/\/)?(\/[^\0]+)$/.exec(url)
  if (unix?.[1] !== undefined) return { kind: 'unix', path: unix[1] }
  const tcp = /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(url)
  const host = tcp?.[1] ?? tcp?.[2] ?? ''
  const port = Number(tcp?.[3])
  if (host === '' || port > MAX_PORT || (tcp?.[1] !== undefined && isIP(host) !== 6)) {
    throw new NsmError('invalid_argument', 'Cannot parse the address: it is not tcp://host:port or unix:///path', {
      fields: { url: url.slice(0, 256) },
    })
  }
  return { kind: 'tcp', host, port }
}
