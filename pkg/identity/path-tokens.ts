import { type PathSegment, trustDomainOf } from '../api/index.ts'
import { NsmError, type QualifiedName, splitName } from '../base/index.ts'
import type { Bundles } from './svid.ts'
import { checkNotExpired, isSignedBy, type PathToken, parseToken } from './token.ts'
import { peerKey, verifySigner } from './token-signer.ts'

/**
 * Tokens of upstream programs carry no certificates: only the next application can verify them, the others take its word.
 * Nor do they say what they are for, as those of earlier versions do not. `upstream` allows both for the applications
 * before the caller, `never` refuses them.
 */
export const UNSIGNED_PATHS = ['upstream', 'never'] as const

export type UnsignedPath = (typeof UNSIGNED_PATHS)[number]

export interface PathTokenCheck {
  /** Of the path, the client's first. */
  readonly segments: readonly (Pick<PathSegment, 'id' | 'token'> & Partial<Pick<PathSegment, 'expiresMs'>>)[]
  /** What is asked for, as the server spells it. A client that verifies an answer leaves it out. */
  readonly service?: string
  /** The index of the token that the peer issued: for a server the last one, for a client the one after its own. */
  readonly peerIndex: number
  /** The peer as authenticated by TLS: its SPIFFE ID, and its DER certificates with the leaf first. */
  readonly peer: { readonly spiffeId: string; readonly chain: readonly Uint8Array[] }
  /** The SPIFFE ID that must be the audience of the peer's token, namely the server's own. A client leaves it out. */
  readonly audience?: string
  readonly bundles: Bundles
  /** Whether a token before the peer's may lack its certificates and what it is for, as those of upstream programs do. */
  readonly unsigned?: UnsignedPath
  readonly nowMs: number
  /** How far the peer's clock is ahead of ours. */
  readonly aheadMs?: number
}

/** Each of two clocks may be off by 10 minutes, and some more. */
const CLOCKS_MS = 25 * 60_000

/**
 * Verifies the tokens of a path: none has expired, the audience of each is the subject of the next, the subject of the
 * peer's token is the peer, every token that carries its certificates was signed by its subject, and every token that
 * says what it is for is for this connection and service. The tokens of upstream programs carry no certificates, so that
 * only the signature of the peer's token can be verified.
 *
 * @returns the tokens; the caller may rely only on what is listed here
 * @throws {NsmError} `unauthenticated`
 */
export function verifyPathTokens(check: PathTokenCheck): readonly PathToken[] {
  const tokens = check.segments.map(({ token }) => parseToken(token))
  for (const [index, token] of tokens.entries()) {
    checkNotExpired(token, check.nowMs + signerAheadMs(token, check, index))
    const next = tokens[index + 1]
    if (next !== undefined && !token.audience.includes(next.subject))
      refuse('its audience is not the next application', index)
    if (index === check.peerIndex) checkPeers(token, check)
    else if (token.chain.length > 0) checkOwnChain(token, check, index)
    else if (check.unsigned === 'never') refuse('it carries no certificates, and unsigned paths are not allowed', index)
    checkBinding(token, check, { index, audience: next?.subject ?? check.audience ?? '' })
  }
  const peers = tokens[check.peerIndex]
  if (peers === undefined) refuse('the peer has sent none', check.peerIndex)
  if (check.audience !== undefined && !peers.audience.includes(check.audience)) {
    refuse('its audience is someone else', check.peerIndex)
  }
  return tokens
}

/**
 * How far the clock of who signed is ahead of ours, negative where it is behind. On the way here every hop has turned the
 * expiry beside the token, which is not signed, into its own time: the difference is that of the clocks, within reason.
 */
function signerAheadMs({ expiresMs }: PathToken, { segments, peerIndex, aheadMs = 0 }: PathTokenCheck, index: number) {
  if (index === peerIndex) return aheadMs
  const behindMs = (segments[index]?.expiresMs ?? expiresMs) - expiresMs
  return behindMs > 0 && behindMs <= CLOCKS_MS ? -behindMs : 0
}

function checkPeers(token: PathToken, check: PathTokenCheck): void {
  const { peer, peerIndex } = check
  if (token.subject !== peer.spiffeId) refuse('its subject is not the peer', peerIndex)
  const [leaf] = peer.chain
  if (leaf !== undefined && isSignedBy(token, peerKey(leaf))) return
  // The peer may have renewed its SVID since it connected. Then its token carries the new certificates.
  if (token.chain.length === 0) refuse('its signature is wrong', peerIndex)
  checkOwnChain(token, check, peerIndex)
}

/** One that has received a path must not use the tokens on it for anything else. */
function checkBinding(
  { binding }: PathToken,
  check: PathTokenCheck,
  { index, audience }: { readonly index: number; readonly audience: string },
): void {
  if (check.service === undefined) return
  if (binding === undefined) {
    if (check.unsigned !== 'never' || index === check.peerIndex) return
    refuse('it does not say for which connection it is, and unsigned paths are not allowed', index)
  }
  const { connection, service } = binding
  if (connection === '' || connection !== check.segments[index]?.id) refuse('it is for another connection', index)
  const meant = whole(service, audience)
  const asked = whole(check.service, check.audience ?? '')
  // What an upstream program calls a domain need not be its trust domain.
  const isSameDomain = meant.domain === asked.domain || !check.bundles.has(meant.domain)
  if (meant.name !== asked.name || !isSameDomain) refuse('it is for another network service', index)
}

/** The service with its domain, as an application with this SPIFFE ID understands the name. */
function whole(service: string, spiffeId: string): QualifiedName {
  const { name, domain } = splitName(service)
  return { name, domain: domain === '' ? trustDomainOf(spiffeId) : domain }
}

function checkOwnChain(token: PathToken, check: PathTokenCheck, index: number): void {
  const { spiffeId, publicKey } = verifySigner(token, check.bundles, check.nowMs)
  if (spiffeId.id !== token.subject) refuse('its certificate belongs to another subject', index)
  if (!isSignedBy(token, publicKey)) refuse('its signature is wrong', index)
}

function refuse(reason: string, segment: number): never {
  throw new NsmError('unauthenticated', `Cannot accept the path token: ${reason}`, { fields: { segment } })
}
