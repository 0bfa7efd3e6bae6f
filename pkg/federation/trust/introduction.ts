/** Introductions as they travel between registries. Every field is checked before any of them is used. */
import { createHash } from 'node:crypto'
import type { domainV1 } from '../../api/index.ts'
import { isDomainOrNodeName, NsmError } from '../../base/index.ts'
import { checkAuthority } from '../../identity/index.ts'
import type { Reach } from '../../net/index.ts'
import { EVERY_NODE } from '../../policy/index.ts'
import { type Introduction, MAX_REVOKED } from '../store/trust-record.ts'

const MAX_AUTHORITIES = 8
const MAX_CERTIFICATE_BYTES = 4_096
const MAX_ADDRESSES = 8
/** How far ahead of ours the clock of another domain may be. */
const MAX_AHEAD_MS = 24 * 3_600_000
/** IPv4 or host name, or IPv6 in brackets, and a port. */
const ADDRESS = /^(?:([A-Za-z0-9.-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\]):[1-9]\d{0,4}$/

/** What an introduction is judged by besides itself. */
export interface IntroductionRules {
  /** Which addresses we call. */
  readonly reach: Reach
  /** Our own addresses, which are nobody else's. */
  readonly ownAddresses: readonly string[]
  readonly nowMs: number
}

/** @throws {NsmError} `invalid_argument` with the field. */
export function introductionFromProto(
  message: domainV1.Introduction | undefined,
  rules: IntroductionRules,
): Introduction {
  if (message === undefined) refuse('introduction', 'it is missing')
  const { trustDomain: domain, addresses, authorities } = message
  if (!isDomainOrNodeName(domain)) refuse('trust_domain', 'the name of the domain is malformed')
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES) refuse('addresses', 'there must be 1 to 8')
  for (const address of addresses) checkAddress(address, rules)
  if (authorities.length < 1 || authorities.length > MAX_AUTHORITIES) refuse('authorities', 'there must be 1 to 8')
  if (authorities.some((der) => der.length > MAX_CERTIFICATE_BYTES)) refuse('authorities', 'one is too large')
  for (const der of authorities) checkAuthority(der, domain)
  const revision = Number(message.revision)
  if (!isPlausible(revision, rules.nowMs)) refuse('revision', 'it lies in the future: compare the clocks')
  return { domain, addresses, authorities, revision, revoked: revokedOf(message.revokedNodes) }
}

/** Revisions are times: one that lies too far ahead would make every later one look old. */
export function isPlausible(revision: number, nowMs: number): boolean {
  return Number.isSafeInteger(revision) && revision <= nowMs + MAX_AHEAD_MS
}

export function introductionToProto(introduction: Introduction): domainV1.Introduction {
  const { domain, addresses, authorities, revision, revoked } = introduction
  return {
    trustDomain: domain,
    addresses: [...addresses],
    authorities: authorities.map((der) => Buffer.from(der)),
    revision: BigInt(revision),
    revokedNodes: [...revoked],
  }
}

/** What no node can be called is left out. INVARIANT: a list that is too long revokes more than it names, never less. */
export function revokedOf(names: readonly string[]): readonly string[] {
  const known = names.filter((name) => name === EVERY_NODE || isDomainOrNodeName(name))
  return known.length > MAX_REVOKED || known.includes(EVERY_NODE) ? [EVERY_NODE] : [...new Set(known)].sort()
}

/** base64url of the SHA-256 of a DER certificate. */
export function fingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64url')
}

export function hasAuthority({ authorities }: Introduction, pin: string): boolean {
  return authorities.some((certificate) => fingerprint(certificate) === pin)
}

/** Where a name leads is judged when it is called; a number is judged now, in whatever form a resolver would read it. */
function checkAddress(address: string, { reach, ownAddresses }: IntroductionRules): void {
  const [, name, v6] = ADDRESS.exec(address) ?? []
  const host = name ?? v6
  if (host === undefined) refuse('addresses', 'one is not host:port')
  if (ownAddresses.includes(address)) refuse('addresses', 'one is ours')
  const isNumber = v6 !== undefined || /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(host)
  if (isNumber && !reach(host)) refuse('addresses', 'one does not lead to another machine')
}

function refuse(field: string, state: string): never {
  throw new NsmError('invalid_argument', `Cannot read the introduction of the domain: ${state}`, { fields: { field } })
}
