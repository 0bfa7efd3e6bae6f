import type { Token } from '../api/index.ts'
import type { Clock } from '../base/index.ts'
import type { Svid } from './svid.ts'
import { signToken } from './token.ts'

/** The default of upstream. */
const TOKEN_LIFETIME_MS = 10 * 60_000
const MAX_AUDIENCES = 4096

/** Issues tokens for peers. A token is reused until a third of its lifetime is left or the SVID changes. */
export class TokenMinter {
  readonly #clock: Clock
  readonly #lifetimeMs: number
  readonly #bySvid = new WeakMap<Svid, Map<string, Token>>()

  constructor(clock: Clock, lifetimeMs = TOKEN_LIFETIME_MS) {
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
  }

  /** A token for `audience`, a SPIFFE ID, signed with `svid`. It never outlives the SVID. */
  token(svid: Svid, audience: string): Token {
    const tokens = this.#tokensOf(svid)
    const kept = tokens.get(audience)
    const nowMs = this.#clock.nowMs()
    if (kept !== undefined && kept.expiresMs - nowMs > this.#lifetimeMs / 3) return kept
    if (kept !== undefined && kept.expiresMs >= svid.expiresMs && nowMs < kept.expiresMs) return kept
    if (tokens.size >= MAX_AUDIENCES) tokens.clear()
    const expiresMs = Math.floor(Math.min(nowMs + this.#lifetimeMs, svid.expiresMs) / 1000) * 1000
    const token = { jwt: signToken(svid, { audience, expiresMs }), expiresMs }
    tokens.set(audience, token)
    return token
  }

  #tokensOf(svid: Svid): Map<string, Token> {
    const tokens = this.#bySvid.get(svid) ?? new Map<string, Token>()
    this.#bySvid.set(svid, tokens)
    return tokens
  }
}
