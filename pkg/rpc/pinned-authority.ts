import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import { parseSpiffeId, type VerifiedSvid, verifySvid } from '../identity/index.ts'

/**
 * Verifies a server that sends its authority along, for a client that knows of that authority no more than the
 * SHA-256 of its certificate.
 *
 * @throws {NsmError} `unauthenticated`
 */
export function verifyByPinnedAuthority(
  chain: readonly Uint8Array[],
  authoritySha256: Uint8Array,
  nowMs: number,
): VerifiedSvid {
  const authority = chain.find((der) => isEqual(createHash('sha256').update(der).digest(), authoritySha256))
  const [leaf] = chain
  if (authority === undefined || leaf === undefined) {
    throw new NsmError('unauthenticated', 'Cannot accept server: its authority is not the one of the token', {
      next: 'Check that the token was made by the domain that answers at this address',
    })
  }
  // Any trust domain that this authority signs for: the fingerprint says which authority, verification the rest.
  return verifySvid(chain, new Map([[domainOfLeaf(leaf), [authority]]]), nowMs)
}

function domainOfLeaf(leaf: Uint8Array): string {
  const uri = /URI:(spiffe:[^,\s]+)/.exec(new X509Certificate(leaf).subjectAltName ?? '')?.[1]
  return parseSpiffeId(uri ?? '').trustDomain
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
