/**
 * Verifies a certificate chain and returns its identity. Only the trust bundle of the trust domain in the leaf's SPIFFE
 * ID is used, so that no domain can vouch for another. Sizes and key types are checked before any signature.
 *
 * @see X509-SVID sections 2 to 5
 */
import type { KeyObject } from 'node:crypto'
import { parseSpiffeId, type SpiffeId } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type Certificate, MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES, readCertificate } from './certificate.ts'
import type { Bundles } from './svid.ts'

export interface VerifiedSvid {
  readonly spiffeId: SpiffeId
  /** The earliest expiry in the chain, including that of the authority. */
  readonly expiresMs: number
  readonly publicKey: KeyObject
}

/** @throws {NsmError} `unauthenticated` with the reason */
export function verifySvid(chain: readonly Uint8Array[], bundles: Bundles, nowMs: number): VerifiedSvid {
  checkSizes(chain)
  const certificates = chain.map(read)
  const [leaf] = certificates
  if (leaf === undefined) refuse('it has no certificate')
  const spiffeId = readLeaf(leaf)
  const authorities = bundles.get(spiffeId.trustDomain)
  if (authorities === undefined) refuse('its trust domain is not trusted', { domain: spiffeId.trustDomain })
  const expiresMs = verifyLinks(certificates, authorities.map(readAuthority), nowMs)
  return { spiffeId, expiresMs, publicKey: leaf.publicKey }
}

/**
 * Verifies a chain that may have expired as it was at its end, for an authority that renews late what it issued.
 * @throws {NsmError} `unauthenticated` with the reason
 */
export function verifyExpiredSvid(chain: readonly Uint8Array[], bundles: Bundles, nowMs: number): VerifiedSvid {
  checkSizes(chain)
  const [leaf] = chain.slice(0, 1).map(read)
  return verifySvid(chain, bundles, Math.min(nowMs, leaf?.expiresMs ?? nowMs))
}

function checkSizes(chain: readonly Uint8Array[]): void {
  if (chain.length > MAX_CHAIN_CERTIFICATES) refuse('its chain is too long', { certificates: chain.length })
  if (chain.reduce((sum, der) => sum + der.length, 0) > MAX_CHAIN_BYTES) refuse('its chain is too large')
}

/** The authorities of a bundle stay for years, and are read with each chain. */
const authoritiesRead = new WeakMap<Uint8Array, Certificate>()

function readAuthority(der: Uint8Array): Certificate {
  const known = authoritiesRead.get(der)
  if (known !== undefined) return known
  const authority = read(der)
  authoritiesRead.set(der, authority)
  return authority
}

function read(der: Uint8Array): Certificate {
  try {
    return readCertificate(der)
  } catch (error) {
    throw new NsmError('unauthenticated', 'Cannot verify the SVID: it is not a certificate', { cause: error })
  }
}

function readLeaf(leaf: Certificate): SpiffeId {
  const [uri, ...others] = leaf.uris
  if (uri === undefined || others.length > 0)
    refuse('it does not have exactly one URI name', { uris: leaf.uris.length })
  if (leaf.isAuthority) refuse('its leaf is an authority')
  if (leaf.keyUsage === undefined || !leaf.keyUsage.digitalSignature)
    refuse('the key usage of its leaf does not allow signatures')
  if (leaf.keyUsage.keyCertSign || leaf.keyUsage.crlSign)
    refuse('the key usage of its leaf allows signing certificates')
  const spiffeId = readUri(uri)
  if (spiffeId.path === '') refuse('the SPIFFE ID of its leaf has no path')
  return spiffeId
}

function readUri(uri: string): SpiffeId {
  try {
    return parseSpiffeId(uri)
  } catch (error) {
    throw new NsmError('unauthenticated', 'Cannot verify the SVID: its URI name is not a SPIFFE ID', { cause: error })
  }
}

/** Follows the issuers from the leaf to an authority in the bundle. @returns the earliest expiry on the way */
function verifyLinks(chain: readonly Certificate[], trusted: readonly Certificate[], nowMs: number): number {
  let expiresMs = Number.POSITIVE_INFINITY
  for (const [depth, certificate] of chain.entries()) {
    checkUsable(certificate, nowMs)
    expiresMs = Math.min(expiresMs, certificate.expiresMs)
    const authority = trusted.find((candidate) => isIssuedBy(certificate, candidate, depth))
    if (authority !== undefined) {
      checkUsable(authority, nowMs)
      return Math.min(expiresMs, authority.expiresMs)
    }
    const next = chain[depth + 1]
    if (next === undefined || !isIssuedBy(certificate, next, depth)) break
  }
  refuse('no authority of its trust domain issued it')
}

function isIssuedBy(certificate: Certificate, issuer: Certificate, intermediatesBelow: number): boolean {
  if (!issuer.isAuthority || issuer.keyUsage?.keyCertSign === false) return false
  if (issuer.pathLength !== undefined && intermediatesBelow > issuer.pathLength) return false
  if (!certificate.x509.checkIssued(issuer.x509)) return false
  checkKey(issuer)
  return certificate.x509.verify(issuer.publicKey)
}

function checkUsable(certificate: Certificate, nowMs: number): void {
  const [unknown] = certificate.unknownCritical
  if (unknown !== undefined) refuse('a critical extension is not supported', { oid: unknown })
  if (nowMs < certificate.validFromMs) refuse('it is not valid yet')
  if (nowMs > certificate.expiresMs)
    refuse('it has expired', { expired: new Date(certificate.expiresMs).toISOString() })
  checkKey(certificate)
  const algorithm = certificate.x509.signatureAlgorithm ?? ''
  if (!strongSignatures.has(algorithm)) refuse('its signature algorithm is not supported', { algorithm })
}

const strongSignatures = new Set([
  'ecdsa-with-SHA256',
  'ecdsa-with-SHA384',
  'ecdsa-with-SHA512',
  'sha256WithRSAEncryption',
  'sha384WithRSAEncryption',
  'sha512WithRSAEncryption',
])
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** Small RSA keys are insecure, and large ones are expensive to verify. */
export function checkKey(certificate: Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  const rsaBits = type === 'rsa' ? (details?.modulusLength ?? 0) : 0
  const isCurve = type === 'ec' && curves.has(details?.namedCurve ?? '')
  if (!isCurve && (rsaBits < 2048 || rsaBits > 4096)) refuse('its key type is not supported', { type, rsaBits })
}

function refuse(reason: string, fields: Readonly<Record<string, string | number | undefined>> = {}): never {
  throw new NsmError('unauthenticated', `Cannot verify the SVID: ${reason}`, { fields })
}
