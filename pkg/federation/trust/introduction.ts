/** Introductions as they travel between registries. Every field is checked before any of them is used. */
import { createHash, X509Certificate } from 'node:crypto'
import type { domainV1 } from '../../api/index.ts'
import { isDomainOrNodeName, NsmError } from '../../base/index.ts'
import type { Introduction } from '../store/trust-record.ts'

const MAX_AUTHORITIES = 8
const MAX_CERTIFICATE_BYTES = 4_096
const MAX_ADDRESSES = 8
/** IPv4 or host name, or IPv6 in brackets, and a port. */
const ADDRESS = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9]\d{0,4}$/

/** @throws {NsmError} `invalid_argument` with the field. */
export function introductionFromProto(message: domainV1.Introduction | undefined): Introduction {
  if (message === undefined) refuse('introduction', 'it is missing')
  const { trustDomain: domain, addresses, authorities } = message
  if (!isDomainOrNodeName(domain)) refuse('trust_domain', 'the name of the domain is malformed')
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES) refuse('addresses', 'there must be 1 to 8')
  if (!addresses.every((address) => ADDRESS.test(address))) refuse('addresses', 'one is not host:port')
  if (authorities.length < 1 || authorities.length > MAX_AUTHORITIES) refuse('authorities', 'there must be 1 to 8')
  if (!authorities.every(isAuthority)) refuse('authorities', 'one is not the certificate of an authority')
  const revision = Number(message.revision)
  if (!Number.isSafeInteger(revision)) refuse('revision', 'it is too large')
  return { domain, addresses, authorities, revision }
}

export function introductionToProto(introduction: Introduction): domainV1.Introduction {
  const { domain, addresses, authorities, revision } = introduction
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

export function haveCommonAuthority(a: Introduction, b: Introduction): boolean {
  const known = new Set(a.authorities.map(fingerprint))
  return b.authorities.some((certificate) => known.has(fingerprint(certificate)))
}

function isAuthority(der: Uint8Array): boolean {
  if (der.length > MAX_CERTIFICATE_BYTES) return false
  try {
    const certificate = new X509Certificate(der)
    return certificate.ca && certificate.raw.equals(der)
  } catch {
    return false
  }
}

function refuse(field: string, state: string): never {
  throw new NsmError('invalid_argument', `Cannot read the introduction of the domain: ${state}`, { fields: { field } })
}
