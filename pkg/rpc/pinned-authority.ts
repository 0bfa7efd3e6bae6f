import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import { parseSpiffeId } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type VerifiedSvid, verifySvid } from '../identity/index.ts'

/**
 * Verifies a server whose authority is pinned: the client knows only the SHA-256 of the authority's certificate, which
 * the server sends with its own chain.
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
    throw new NsmError('unauthenticated', 'Cannot accept the server: its authority does not match the token', {
      next: 'check that the token was created by the domain of the server at this address',
    })
  }
  // The pin determines the authority, so that any trust domain for which it signs is accepted.
  return verifySvid(chain, new Map([[domainOfLeaf(leaf), [authority]]]), nowMs)
}

function domainOfLeaf(leaf: Uint8Array): string {
  const uri = /URI:(spiffe:[^,\s]+)/.exec(new X509Certificate(leaf).subjectAltName ?? '')?.[1]
  return parseSpiffeId(uri ?? '').trustDomain
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
