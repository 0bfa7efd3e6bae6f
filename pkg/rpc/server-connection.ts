/**
 * An accepted connection and its peer. Because a connection can outlive the trust in its peer, every call verifies the
 * peer again: with the current trust bundles, its expiry and its revocation.
 */
import type { Duplex } from 'node:stream'
import type { Attestation, Peer } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type Bundles, type IdentitySource, verifyExpiredSvid, verifySvid } from '../identity/index.ts'

/** Long enough for a joining node to make its only call, and for other peers to learn why they are refused. */
const UNAUTHENTICATED_MS = 30_000

/** For the answer of a call that has made a stranger a member. */
const ANSWER_MS = 1000

export interface PeerRules {
  readonly identity: IdentitySource
  readonly clock: Clock
  readonly isRevoked: (spiffeId: string) => boolean
}

interface Verified {
  readonly bundles: Bundles
  readonly spiffeId: string
  readonly expiresMs: number
}

export class ServerConnection {
  readonly #socket: Duplex
  readonly #chain: readonly Uint8Array[]
  readonly #attestation: Attestation | undefined
  #verified: Verified | undefined
  #isStranger = false

  constructor(socket: Duplex, chain: readonly Uint8Array[], attestation: Attestation | undefined) {
    this.#socket = socket
    this.#chain = chain
    this.#attestation = attestation
  }

  /** The caller of a method that requires no authentication. Its chain, if it showed one, has not been verified. */
  get anonymous(): Peer {
    return { spiffeId: '', chain: this.#chain, attestation: this.#attestation }
  }

  /** @throws {NsmError} `unauthenticated` when the peer is not, or no longer, authenticated */
  peer(rules: PeerRules): Peer {
    this.#checkCertificate()
    const { spiffeId } = this.#verify(rules)
    checkRevoked(spiffeId, rules)
    const isConnected = () => !this.#socket.destroyed
    return { spiffeId, chain: this.#chain, attestation: this.#attestation, isConnected }
  }

  /**
   * The peer, also if its identity has expired, and when it does.
   * @throws {NsmError} `unauthenticated` as {@link peer} does otherwise
   */
  latePeer(rules: PeerRules): Peer {
    this.#checkCertificate()
    const nowMs = rules.clock.nowMs()
    const { spiffeId, expiresMs } = verifyExpiredSvid(this.#chain, rules.identity.current().bundles, nowMs)
    checkRevoked(spiffeId.id, rules)
    return { spiffeId: spiffeId.id, chain: this.#chain, attestation: this.#attestation, expiresMs }
  }

  /** Of the peer, if it is accepted now. */
  identity(rules: PeerRules): string | undefined {
    try {
      return this.peer(rules).spiffeId
    } catch {
      return undefined
    }
  }

  /** Closes the connection when its peer's certificate expires, or soon if it has none. Returns how to cancel that. */
  limit(rules: PeerRules): () => void {
    this.#isStranger = this.identity(rules) === undefined
    const leftMs = !this.#isStranger ? (this.#verified?.expiresMs ?? 0) - rules.clock.nowMs() : UNAUTHENTICATED_MS
    return rules.clock.after(leftMs, () => this.#socket.destroy())
  }

  /**
   * Closes the connection if its peer would be refused now. A stranger that is accepted now returns as a member, once it
   * has the answer to the call by which it joined.
   */
  recheck(rules: PeerRules): void {
    if (this.#chain.length === 0) return
    if (this.identity(rules) === undefined) this.#socket.destroy()
    else if (this.#isStranger) {
      this.#isStranger = false
      rules.clock.after(ANSWER_MS, () => this.#socket.destroy())
    }
  }

  #checkCertificate(): void {
    if (this.#chain.length > 0) return
    throw new NsmError('unauthenticated', 'Cannot authenticate the caller: it has no client certificate')
  }

  #verify({ identity, clock }: PeerRules): Verified {
    const { bundles } = identity.current()
    const nowMs = clock.nowMs()
    const known = this.#verified
    if (known !== undefined && known.bundles === bundles && nowMs <= known.expiresMs) return known
    const { spiffeId, expiresMs } = verifySvid(this.#chain, bundles, nowMs)
    this.#verified = { bundles, spiffeId: spiffeId.id, expiresMs }
    return this.#verified
  }
}

function checkRevoked(spiffeId: string, { isRevoked }: PeerRules): void {
  if (!isRevoked(spiffeId)) return
  throw new NsmError('unauthenticated', 'Cannot accept the caller: its identity is revoked', { fields: { spiffeId } })
}
