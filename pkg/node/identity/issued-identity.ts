import type { Clock } from '../../base/index.ts'
import { type Identity, type KeyAndCsr, verifySvid } from '../../identity/index.ts'
import type { Issued } from '../authority-client.ts'
import { bundlesOf } from '../trust/trust-state.ts'

/** @throws {NsmError} when the answer is not an identity that the authority's own bundle verifies */
export function identityOf({ chain, trust }: Issued, key: KeyAndCsr, clock: Clock): Identity {
  const bundles = trust === undefined ? new Map() : bundlesOf(trust)
  const { spiffeId, expiresMs } = verifySvid(chain, bundles, clock.nowMs())
  return { svid: { spiffeId: spiffeId.id, chain, privateKey: key.privateKey, expiresMs }, bundles }
}
