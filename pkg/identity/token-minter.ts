import type { Token, TokenBinding } from '../api/index.ts'
import type { Clock } from '../base/index.ts'
import type { Svid } from './svid.ts'
import { signToken } from './token.ts'

/** The default of upstream. */
const TOKEN_LIFETIME_MS = 10 * 60_000
/** Of 1 to 2 kB each. The oldest goes first. */
const MAX_TOKENS = 4096

/** In tokens of calls that are not about a connection, so that nobody can use such a token on a path. */
const NO_CONNECTION: TokenBinding = { connection: '', service: '' }

/**
 * Issues tokens for peers. A token is reused, for the same connection if it is for one, until a third of its lifetime is
 * left or the SVID changes.
 */
export class TokenMinter {
  readonly #clock: Clock
  readonly #lifetimeMs: number
  readonly #bySvid = new WeakMap<Svid, Map<string, Token>>()

  constructor(clock: Clock, lifetimeMs = TOKEN_LIFETIME_MS) {
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
  }

  /** A token for `audience`, a SPIFFE ID, signed with `svid`. It never outlives the SVID. */
  token(svid: Svid, audience: string, binding = NO_CONNECTION): Token {
    const tokens = this.#tokensOf(svid)
    const key = JSON.stringify([audience, binding.connection, binding.service])
    const kept = tokens.get(key)
    const nowMs = this.#clock.nowMs()
    if (kept !== undefined && kept.expiresMs - nowMs > this.#lifetimeMs / 3) return kept
    if (kept !== undefined && kept.expiresMs >= svid.expiresMs && nowMs < kept.expiresMs) return kept
    const expiresMs = Math.floor(Math.min(nowMs + this.#lifetimeMs, svid.expiresMs) / 1000) * 1000
    const token = { jwt: signToken(svid, { audience, expiresMs, binding }), expiresMs }
    tokens.delete(key)
    tokens.set(key, token)
    const [oldest = key] = tokens.keys()
    if (tokens.size > MAX_TOKENS) tokens.delete(oldest)
    return token
  }

  #tokensOf(svid: Svid): Map<string, Token> {
    const tokens = this.#bySvid.get(svid) ?? new Map<string, Token>()
    this.#bySvid.set(svid, tokens)
    return tokens
  }
}
