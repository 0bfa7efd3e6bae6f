/** The tokens of this node on the paths of requests: makes its own, judges those of the segments before it. */
import type { Call, Path, Token } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type IdentitySource, type TokenMinter, verifyPathTokens } from '../identity/index.ts'
import type { PathTokens } from './parts.ts'

export interface PathTokenParts {
  readonly identity: IdentitySource
  readonly minter: TokenMinter
  readonly clock: Clock
  /** SPIFFE IDs that were expelled, as of now. */
  isRevoked(spiffeId: string): boolean
}

export function pathTokens({ identity, minter, clock, isRevoked }: PathTokenParts): PathTokens {
  return {
    async issue(audience: string): Promise<Token> {
      return minter.token(identity.current().svid, audience)
    },
    async verify({ index, segments }: Path, { peer }: Call): Promise<readonly string[]> {
      const { svid, bundles } = identity.current()
      const peerIndex = index - 1
      const tokens = verifyPathTokens({
        tokens: segments.slice(0, index).map(({ token }) => token),
        peerIndex,
        peer,
        audience: svid.spiffeId,
        bundles,
        nowMs: clock.nowMs(),
      })
      // Tokens of upstream programs bring no certificates: nothing that they say is proven, but for the caller's own.
      const proven = tokens.filter(({ chain }, at) => at === peerIndex || chain.length > 0)
      const identities = proven.map(({ subject }) => subject)
      for (const spiffeId of identities) checkNotRevoked(spiffeId, isRevoked)
      return identities
    },
  }
}

function checkNotRevoked(spiffeId: string, isRevoked: (spiffeId: string) => boolean): void {
  if (!isRevoked(spiffeId)) return
  throw new NsmError('permission_denied', 'Cannot accept the path: one on it was expelled', { fields: { spiffeId } })
}
