/**
 * The keys of those who sign path tokens. A signer has one certificate for half an hour and signs a token for each of its
 * connections, so that reading and verifying its certificates each time would cost more than all the signatures.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import type { Bundles } from './svid.ts'
import type { PathToken } from './token.ts'
import { type VerifiedSvid, verifySvid } from './verify-svid.ts'

/** Of 1 to 2 kB each. The oldest goes first. */
const MAX_SIGNERS = 1024

/** By what a peer showed in its handshake, which stays as long as its connection. */
const peerKeys = new WeakMap<Uint8Array, KeyObject>()

/** The key of a peer, from the leaf of the certificates that TLS has verified. */
export function peerKey(leaf: Uint8Array): KeyObject {
  const key = peerKeys.get(leaf) ?? new X509Certificate(leaf).publicKey
  peerKeys.set(leaf, key)
  return key
}

/** By the bundles that vouch for them: whoever changes what is trusted makes new ones, and starts anew. */
const signers = new WeakMap<Bundles, Map<string, VerifiedSvid>>()

/** @throws {NsmError} `unauthenticated` when the certificates that the token carries are not trusted now */
export function verifySigner(token: PathToken, bundles: Bundles, nowMs: number): VerifiedSvid {
  const known = signers.get(bundles) ?? new Map<string, VerifiedSvid>()
  signers.set(bundles, known)
  const [header = ''] = token.signed.split('.', 1)
  const before = known.get(header)
  if (before !== undefined && nowMs <= before.expiresMs) return before
  const signer = verifySvid(token.chain, bundles, nowMs)
  known.delete(header)
  known.set(header, signer)
  const [oldest = header] = known.keys()
  if (known.size > MAX_SIGNERS) known.delete(oldest)
  return signer
}
