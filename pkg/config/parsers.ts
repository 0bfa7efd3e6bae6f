/** Parsers of configuration values. Each throws an Error whose message completes the sentence "VARIABLE=value ...". */
import { isDomainOrNodeName } from '../base/index.ts'
import { formatPrefix, isIp, MAX_PORT, network, parsePrefix } from '../net/index.ts'
import type { Parser } from './table.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
/** The length of sun_path in unix(7), without the terminating zero. */
const MAX_SOCKET_PATH_BYTES = 107
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

export const text: Parser<string> = (value) => value

export const boolean: Parser<boolean> = (value) => {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new Error('must be true or false')
}

export const logLevel: Parser<LogLevel> = (value) => {
  const level = LOG_LEVELS.find((known) => known === value.toLowerCase())
  if (level === undefined) throw new Error(`must be one of ${LOG_LEVELS.join(', ')}`)
  return level
}

export function oneOf<const T extends string>(values: readonly T[]): Parser<T> {
  return (text) => {
    const value = values.find((known) => known === text)
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`)
    return value
  }
}

/** The name of a domain or a node, which becomes part of SPIFFE IDs: see {@link isDomainOrNodeName}. */
export const name: Parser<string> = (value) => {
  if (isDomainOrNodeName(value)) return value
  throw new Error('must be 1 to 63 lower-case letters, digits, ".", "_" or "-", with a letter or digit at both ends')
}

/** Reads `10m`, `1h30m` or `250ms`. @returns milliseconds */
export const duration: Parser<number> = (value) => {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === value
  if (!isWhole) throw new Error('must be a duration such as 250ms, 10s, 10m or 1h30m')
  return parts.reduce((sum, [, count = '', unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0)
}

export function integer(min: number, max: number): Parser<number> {
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= max)) throw new Error(`must be a whole number from ${min} to ${max}`)
    return number
  }
}

export const port: Parser<number> = integer(1, MAX_PORT)

export const ip: Parser<string> = (value) => {
  if (!isIp(value)) throw new Error('must be an IPv4 or IPv6 address')
  return value
}

/** @returns the prefix in canonical form */
export const prefix: Parser<string> = (value) => {
  const parsed = readPrefix(value)
  const whole = formatPrefix(network(parsed))
  if (formatPrefix(parsed) !== whole) throw new Error(`must have no host bits: ${whole}`)
  return whole
}

function readPrefix(value: string) {
  try {
    return parsePrefix(value)
  } catch {
    throw new Error('must be a prefix such as 10.96.0.0/12 or fd00::/64')
  }
}

export const absolutePath: Parser<string> = (value) => {
  if (!value.startsWith('/') || value.includes('\0')) throw new Error('must be an absolute path')
  return value
}

/**
 * A path at which `wg` can find a device. It looks for `<device>.sock` in /var/run/wireguard and accepts device names
 * of 1 to 15 characters. The whole path must fit into a unix socket address.
 */
export const uapiSocket: Parser<string> = (value) => {
  const path = absolutePath(value)
  if (/\/[A-Za-z0-9_=+.-]{1,15}\.sock$/.test(path) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path
  throw new Error(
    `must be an absolute path to <name>.sock, with a name of 1 to 15 characters, of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
  )
}

/** A URL with one of `schemes`: `tcp://ip:port`, `unix:///path`. */
export function url(...schemes: readonly string[]): Parser<string> {
  return (value) => {
    const scheme = schemes.find((known) => value.startsWith(`${known}://`))
    const rest = value.slice((scheme?.length ?? 0) + '://'.length)
    const problem = scheme === undefined ? `must begin with ${schemes.join(':// or ')}://` : checkRest(scheme, rest)
    if (problem !== undefined) throw new Error(problem)
    return value
  }
}

function checkRest(scheme: string, rest: string): string | undefined {
  if (scheme === 'unix') return rest.startsWith('/') ? undefined : 'must name an absolute path, unix:///path'
  if (scheme !== 'tcp') return URL.canParse(`${scheme}://${rest}`) ? undefined : 'must be a URL'
  const [, host = '', number = ''] = /^(.+):(\d{1,5})$/.exec(rest) ?? []
  const isHost = isIp(host.replace(/^\[(.*)\]$/, '$1')) || isHostName(host)
  return isHost && Number(number) <= MAX_PORT ? undefined : 'must be tcp://ip:port'
}

/** A last label that is a number makes an address of it, which resolvers read in several ways: 0 is 0.0.0.0. */
function isHostName(text: string): boolean {
  return /^[A-Za-z0-9.-]+$/.test(text) && !/(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(text)
}

/** A comma-separated list. Spaces around entries and empty entries are dropped, so an empty text is an empty list. */
export function list<T>(entry: Parser<T>): Parser<readonly T[]> {
  return (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => {
        try {
          return entry(part)
        } catch (error) {
          throw new Error(
            `has the entry ${JSON.stringify(part)}, which ${error instanceof Error ? error.message : error}`,
          )
        }
      })
}
