import type { Clock } from '../../base/index.ts'
import { type Bundles, type Identity, type KeyAndCsr, verifySvid } from '../../identity/index.ts'
import type { Issued } from '../authority-client.ts'
import { bundlesOf } from '../trust/trust-state.ts'

export interface IssuedOptions {
  readonly key: KeyAndCsr
  /** Of other domains, as they are known: an answer does not always hold them all. */
  readonly known: Bundles
  readonly clock: Clock
}

/** @throws {NsmError} when the answer is not an identity that the authority's own bundle verifies */
export function identityOf(issued: Issued, { key, known, clock }: IssuedOptions): Identity {
  const { chain, trust, isTrustWhole } = issued
  const given: Bundles = trust === undefined ? new Map() : bundlesOf(trust)
  const { spiffeId, expiresMs } = verifySvid(chain, given, clock.nowMs())
  const bundles = isTrustWhole ? given : new Map([...given, ...known])
  return { svid: { spiffeId: spiffeId.id, chain, privateKey: key.privateKey, expiresMs }, bundles }
}
