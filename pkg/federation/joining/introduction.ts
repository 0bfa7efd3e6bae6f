/** What a domain says of itself to another, checked before any of it is kept. */
import { createHash, X509Certificate } from 'node:crypto'
import type { domainV1 } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'

const MOST_AUTHORITIES = 8
const MOST_CERTIFICATE_BYTES = 4_096
const MOST_ADDRESSES = 8
const DOMAIN = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/
/** IPv4 or host name, or IPv6 in brackets, and a port. */
const ADDRESS = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9]\d{0,4}$/

export interface Introduction {
  readonly domain: string
  readonly addresses: readonly string[]
  /** DER certificates, newest first. */
  readonly authorities: readonly Uint8Array[]
  readonly revision: number
}

/** @throws {NsmError} `invalid_argument` naming the field. */
export function readIntroduction(message: domainV1.Introduction | undefined): Introduction {
  if (message === undefined) refuse('introduction', 'it is missing')
  const { trustDomain: domain, addresses, authorities } = message
  if (!DOMAIN.test(domain)) refuse('trust_domain', 'it is no name of a domain')
  if (addresses.length < 1 || addresses.length > MOST_ADDRESSES) refuse('addresses', 'there must be 1 to 8')
  if (!addresses.every((address) => ADDRESS.test(address))) refuse('addresses', 'one is not host:port')
  if (authorities.length < 1 || authorities.length > MOST_AUTHORITIES) refuse('authorities', 'there must be 1 to 8')
  if (!authorities.every(isAuthority)) refuse('authorities', 'one is not the certificate of an authority')
  const revision = Number(message.revision)
  if (!Number.isSafeInteger(revision)) refuse('revision', 'it is too large')
  return { domain, addresses, authorities, revision }
}

export function writeIntroduction({ domain, addresses, authorities, revision }: Introduction): domainV1.Introduction {
  return {
    trustDomain: domain,
    addresses: [...addresses],
    authorities: authorities.map((der) => Buffer.from(der)),
    revision: BigInt(revision),
  }
}

/** base64url of the SHA-256 of a DER certificate. */
export function fingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64url')
}

export function haveCommonAuthority(
  a: Pick<Introduction, 'authorities'>,
  b: Pick<Introduction, 'authorities'>,
): boolean {
  const known = new Set(a.authorities.map(fingerprint))
  return b.authorities.some((certificate) => known.has(fingerprint(certificate)))
}

function isAuthority(der: Uint8Array): boolean {
  if (der.length > MOST_CERTIFICATE_BYTES) return false
  try {
    const certificate = new X509Certificate(der)
    return certificate.ca && certificate.raw.equals(der)
  } catch {
    return false
  }
}

function refuse(field: string, state: string): never {
  throw new NsmError('invalid_argument', `Cannot read the introduction of a domain: ${state}`, { fields: { field } })
}
