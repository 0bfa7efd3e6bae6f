/**
 * The tokens on a path: each application gives its own to the next one, and judges those of the segments before it.
 */
import type { Call, Connection, Token } from '../api/index.ts'
import { type Clock, NsmError, type Step } from '../base/index.ts'
import { type IdentitySource, type TokenMinter, type UnsignedPath, verifyPathTokens } from '../identity/index.ts'
import { type Arrived, changeSegment } from './path.ts'

export interface PathTokens {
  /** A token of this application for an answer to `audience`, a SPIFFE ID. It counts in no request. */
  issue(audience: string): Promise<Token>
  /**
   * Verifies the tokens of all segments before ours: not expired, each meant for the next and for this request, the
   * caller's own signed by it.
   * @throws {NsmError} `permission_denied` or `unauthenticated`
   */
  verify(connection: Connection, call: Call): Promise<Verified>
}

export interface Verified {
  /** SPIFFE IDs that are proven on the path, the client's first. */
  readonly identities: readonly string[]
  /** Who asked the caller, by the caller's word; the caller itself, where it was the first to ask. A SPIFFE ID. */
  readonly asker: string
  /**
   * When the caller's token expires, and with it the connection: what the token says, which is signed, and never later
   * than this application allows. What a header says of it counts for nothing; a clock
   * that is ahead by the caller's word gains nothing beyond what is allowed.
   */
  readonly expiresMs: number
}

interface TokenParts {
  readonly tokens: PathTokens
}

/** Writes the caller's token into its segment, and ours for the caller into our own. */
export function updateToken({ tokens }: TokenParts): Step<Arrived, Pick<Arrived, 'connection'>, Connection> {
  return async function updateToken({ connection, call }, next) {
    const { index } = connection.path
    if (call.token === undefined) {
      throw new NsmError('unauthenticated', 'Cannot accept the request: it carries no path token', {
        next: 'send nsm-client-token and nsm-client-token-expires with the request',
      })
    }
    const { jwt, expiresMs } = call.token
    const own = await tokens.issue(call.peer.spiffeId)
    const signed = changeSegment(connection, index - 1, { token: jwt, expiresMs })
    return next({ connection: changeSegment(signed, index, { token: own.jwt, expiresMs: own.expiresMs }) })
  }
}

/** Only requests whose path is what it says it is come through; the caller's segment then expires as its token does. */
export function verifyPath({ tokens }: TokenParts): Step<Arrived, Verified & Pick<Arrived, 'connection'>, Connection> {
  return async function verifyPath({ connection, call }, next) {
    const verified = await tokens.verify(connection, call)
    const { expiresMs } = verified
    return next({ ...verified, connection: changeSegment(connection, connection.path.index - 1, { expiresMs }) })
  }
}

export interface PathTokenParts {
  readonly identity: IdentitySource
  readonly minter: TokenMinter
  readonly clock: Clock
  /** How long a connection may last without a refresh, whatever the caller's token says. */
  readonly maxLifetimeMs: number
  readonly unsigned: UnsignedPath
  /** Whether a SPIFFE ID is expelled at this moment; without it nobody is. */
  isRevoked?(spiffeId: string): boolean
}

export function pathTokens(parts: PathTokenParts): PathTokens {
  const { identity, minter, clock, isRevoked = () => false } = parts
  return {
    async issue(audience) {
      return minter.token(identity.current().svid, audience)
    },
    async verify({ path: { index, segments }, networkService }, { peer, aheadMs = 0 }) {
      const { svid, bundles } = identity.current()
      const nowMs = clock.nowMs()
      const peerIndex = index - 1
      const tokens = verifyPathTokens({
        segments: segments.slice(0, index),
        service: networkService,
        peerIndex,
        peer,
        audience: svid.spiffeId,
        bundles,
        unsigned: parts.unsigned,
        nowMs,
        aheadMs,
      })
      // Tokens of upstream programs carry no certificates: of those, only the caller's own proves anything.
      const proven = tokens.filter(({ chain }, at) => at === peerIndex || chain.length > 0)
      const identities = proven.map(({ subject }) => subject)
      for (const spiffeId of identities) if (isRevoked(spiffeId)) throw expelled(spiffeId)
      const signedMs = (tokens[peerIndex]?.expiresMs ?? nowMs) - aheadMs
      const asker = tokens[peerIndex - 1]?.subject ?? peer.spiffeId
      return { identities, asker, expiresMs: Math.min(signedMs, nowMs + parts.maxLifetimeMs) }
    },
  }
}

function expelled(spiffeId: string): NsmError {
  return new NsmError('permission_denied', 'Cannot accept the path: an identity on it was expelled', {
    fields: { spiffeId },
  })
}
