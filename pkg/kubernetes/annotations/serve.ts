/**
 * The annotation that makes a pod an endpoint: the services that it serves, and what holds for all of them.
 *
 *     networkservicemesh.io/serve: db, files?prefix=172.16.1.0/24&payload=IP&version=v2
 *
 * Everything after the `?` that is neither prefix nor payload is a label.
 */
import { isPayload, type Labels, type Payload } from '../../api/index.ts'
import { isPrintable, isRegisteredName, NsmError } from '../../base/index.ts'
import { parseGroups } from '../../ipam/index.ts'
import { checkLength, refused, SERVE } from './refuse.ts'

/** What a pod serves, as its annotation says. */
export interface Serve {
  readonly services: readonly string[]
  /** For the addresses of both ends, as NSM_CIDR_PREFIX: `172.16.1.0/24`, or groups. */
  readonly prefix: string
  readonly payload: Payload
  readonly labels: Labels
}

export const MAX_SERVICES = 16
const EXAMPLE = 'write for example db, or db,files?prefix=172.16.1.0/24'

/** @throws {NsmError} `invalid_argument` that says what is wrong, why, and what to do */
export function parseServe(text: string): Serve {
  checkLength(SERVE, text)
  const at = text.indexOf('?')
  const services = (at < 0 ? text : text.slice(0, at)).split(',').map((name) => name.trim())
  const { prefix = defaultPrefix(services), payload = 'IP', ...labels } = parseOptions(at < 0 ? '' : text.slice(at + 1))
  checkServices(services)
  if (!isPayload(payload)) {
    const next = 'write payload=IP or payload=ETHERNET, or leave it out'
    throw refused(SERVE, 'the payload must be IP or ETHERNET', { part: payload, next })
  }
  checkPrefix(prefix)
  return { services, prefix, payload, labels }
}

function checkServices(services: readonly string[]): void {
  if (services.length > MAX_SERVICES) {
    const next = 'divide them among several pods'
    throw refused(SERVE, `it has ${services.length} services, and a pod may serve ${MAX_SERVICES}`, { next })
  }
  const odd = services.find((name) => !isRegisteredName(name))
  if (odd?.includes('@') === true) {
    const next = 'leave out @ and the domain; other domains see a service when it is exported to them'
    throw refused(SERVE, 'a pod serves in its own domain only', { part: odd, next })
  }
  if (odd !== undefined) {
    const why = 'a service must be a name of letters, digits, ".", "_" and "-"'
    throw refused(SERVE, why, { part: odd, next: EXAMPLE })
  }
  const twice = services.find((name, index) => services.indexOf(name) !== index)
  if (twice !== undefined) throw refused(SERVE, 'a service is named twice', { part: twice, next: EXAMPLE })
}

function parseOptions(query: string): Readonly<Record<string, string>> {
  const options = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    if (options.has(key)) throw refused(SERVE, 'an option is there twice', { part: key, next: EXAMPLE })
    const odd = [key, value].find((each) => !isPrintable(each))
    if (odd !== undefined) {
      throw refused(SERVE, 'an option has characters that nobody sees', { part: odd, next: EXAMPLE })
    }
    options.set(key, value.trim())
  }
  return Object.fromEntries(options)
}

function checkPrefix(prefix: string): void {
  try {
    parseGroups(prefix)
  } catch (cause) {
    if (!(cause instanceof NsmError)) throw cause
    const next = 'write for example prefix=172.16.1.0/24'
    throw refused(SERVE, 'the prefix is none', { part: prefix, next, cause })
  }
}

/**
 * Where the pod names no prefix, one of the 512 networks of RFC 2544, which no cluster or cloud hands out: the same one
 * for all pods that serve the same services.
 */
function defaultPrefix(services: readonly string[]): string {
  const number = hash(services.join(',')) % 512
  return `198.${18 + Math.floor(number / 256)}.${number % 256}.0/24`
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  return Buffer.from(text).reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}
