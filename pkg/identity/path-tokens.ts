import { X509Certificate } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import type { Bundles } from './svid.ts'
import { checkNotExpired, isSignedBy, type PathToken, parseToken } from './token.ts'
import { verifySvid } from './verify-svid.ts'

export interface PathTokenCheck {
  /** The path's tokens, the client's first. */
  readonly tokens: readonly string[]
  /** Which of them the peer of this call gave: for a server the last, for a client the one after its own. */
  readonly peerIndex: number
  /** The peer as its TLS connection has proven it: SPIFFE ID, and DER certificates with the leaf first. */
  readonly peer: { readonly spiffeId: string; readonly chain: readonly Uint8Array[] }
  /** SPIFFE ID that the peer's token must name: the server's own. A client leaves this to the chain of tokens. */
  readonly audience?: string
  readonly bundles: Bundles
  readonly nowMs: number
}

/**
 * Verifies the tokens of a path: none has expired, each is meant for the next, the peer's is its own, and every one
 * that carries its certificates was signed by who it names. Tokens of upstream programs carry none: of those only the
 * peer's can be checked.
 *
 * @returns the tokens, of which only the claims that are said here may be believed
 * @throws {NsmError} `unauthenticated`
 */
export function verifyPathTokens(check: PathTokenCheck): readonly PathToken[] {
  const tokens = check.tokens.map(parseToken)
  for (const [index, token] of tokens.entries()) {
    checkNotExpired(token, check.nowMs)
    const next = tokens[index + 1]
    if (next !== undefined && !token.audience.includes(next.subject)) refuse('not meant for the next one', index)
    if (index === check.peerIndex) checkPeers(token, check)
    else if (token.chain.length > 0) checkOwnChain(token, check, index)
  }
  const peers = tokens[check.peerIndex]
  if (peers === undefined) refuse('missing', check.peerIndex)
  if (check.audience !== undefined && !peers.audience.includes(check.audience)) {
    refuse('meant for somebody else', check.peerIndex)
  }
  return tokens
}

function checkPeers(token: PathToken, check: PathTokenCheck): void {
  const { peer, peerIndex } = check
  if (token.subject !== peer.spiffeId) refuse('its subject is not the caller', peerIndex)
  const [leaf] = peer.chain
  if (leaf !== undefined && isSignedBy(token, new X509Certificate(leaf).publicKey)) return
  // The peer may have renewed its SVID since it connected: then its token brings the new one.
  if (token.chain.length === 0) refuse('wrong signature', peerIndex)
  checkOwnChain(token, check, peerIndex)
}

function checkOwnChain(token: PathToken, check: PathTokenCheck, index: number): void {
  const { spiffeId, publicKey } = verifySvid(token.chain, check.bundles, check.nowMs)
  if (spiffeId.id !== token.subject) refuse('its certificate names somebody else', index)
  if (!isSignedBy(token, publicKey)) refuse('wrong signature', index)
}

function refuse(reason: string, segment: number): never {
  throw new NsmError('unauthenticated', `Cannot accept path token: ${reason}`, { fields: { segment } })
}
