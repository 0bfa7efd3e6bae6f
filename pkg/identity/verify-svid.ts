/**
 * Who is behind a certificate chain. A trust domain is only spoken for by its own bundle: the domain of the leaf's
 * SPIFFE ID chooses the authorities that count. Sizes and key kinds are checked before any signature.
 *
 * @see X509-SVID sections 2 to 5
 */
import type { KeyObject } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import { type Certificate, MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES, readCertificate } from './certificate.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'
import type { Bundles } from './svid.ts'

export interface VerifiedSvid {
  readonly spiffeId: SpiffeId
  /** When the first certificate of the chain, its authority included, expires. */
  readonly expiresMs: number
  readonly publicKey: KeyObject
}

/** @throws {NsmError} `unauthenticated`, saying why */
export function verifySvid(chain: readonly Uint8Array[], bundles: Bundles, nowMs: number): VerifiedSvid {
  checkSizes(chain)
  const certificates = chain.map(read)
  const [leaf] = certificates
  if (leaf === undefined) refuse('no certificate')
  const spiffeId = readLeaf(leaf)
  const authorities = bundles.get(spiffeId.trustDomain)
  if (authorities === undefined) refuse('its trust domain is not known here', { domain: spiffeId.trustDomain })
  const expiresMs = verifyLinks(certificates, authorities.map(read), nowMs)
  return { spiffeId, expiresMs, publicKey: leaf.publicKey }
}

function checkSizes(chain: readonly Uint8Array[]): void {
  if (chain.length > MAX_CHAIN_CERTIFICATES) refuse('chain too long', { certificates: chain.length })
  if (chain.reduce((sum, der) => sum + der.length, 0) > MAX_CHAIN_BYTES) refuse('chain too large')
}

function read(der: Uint8Array): Certificate {
  try {
    return readCertificate(der)
  } catch (error) {
    throw new NsmError('unauthenticated', 'Cannot verify SVID: not a certificate', { cause: error })
  }
}

function readLeaf(leaf: Certificate): SpiffeId {
  const [uri, ...others] = leaf.uris
  if (uri === undefined || others.length > 0) refuse('not exactly one URI name', { uris: leaf.uris.length })
  if (leaf.isAuthority) refuse('its leaf is an authority')
  if (leaf.keyUsage === undefined || !leaf.keyUsage.digitalSignature) refuse('its leaf may not sign')
  if (leaf.keyUsage.keyCertSign || leaf.keyUsage.crlSign) refuse('its leaf may sign certificates')
  const spiffeId = readUri(uri)
  if (spiffeId.path === '') refuse('its leaf names a whole trust domain')
  return spiffeId
}

function readUri(uri: string): SpiffeId {
  try {
    return parseSpiffeId(uri)
  } catch (error) {
    throw new NsmError('unauthenticated', 'Cannot verify SVID: its URI name is no SPIFFE ID', { cause: error })
  }
}

/** Follows the issuers from the leaf to an authority of the bundle; gives the first expiry on the way. */
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
  if (unknown !== undefined) refuse('critical extension is not understood', { oid: unknown })
  if (nowMs < certificate.validFromMs) refuse('not valid yet')
  if (nowMs > certificate.expiresMs) refuse('expired', { expired: new Date(certificate.expiresMs).toISOString() })
  checkKey(certificate)
  const algorithm = certificate.x509.signatureAlgorithm ?? ''
  if (!strongSignatures.has(algorithm)) refuse('weak signature', { algorithm })
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

/** Large RSA keys cost the verifier, small ones protect nobody. */
function checkKey(certificate: Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  const rsaBits = type === 'rsa' ? (details?.modulusLength ?? 0) : 0
  const isCurve = type === 'ec' && curves.has(details?.namedCurve ?? '')
  if (!isCurve && (rsaBits < 2048 || rsaBits > 4096)) refuse('key not supported', { type, rsaBits })
}

function refuse(reason: string, fields: Readonly<Record<string, string | number | undefined>> = {}): never {
  throw new NsmError('unauthenticated', `Cannot verify SVID: ${reason}`, { fields })
}
