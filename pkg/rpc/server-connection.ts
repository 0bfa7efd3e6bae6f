/**
 * One accepted connection and who is behind it. The peer is judged again on every call: against the bundles of that
 * moment, its expiry and its revocation, since a connection may live longer than the trust in its peer.
 */
import type { Duplex } from 'node:stream'
import type { Attestation, Peer } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type Bundles, type IdentitySource, verifySvid } from '../identity/index.ts'

/** Long enough for the one call of a node that joins, and for telling the others why they are refused. */
const UNPROVEN_MS = 30_000

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

  constructor(socket: Duplex, chain: readonly Uint8Array[], attestation: Attestation | undefined) {
    this.#socket = socket
    this.#chain = chain
    this.#attestation = attestation
  }

  /** The caller of a method that asks for no proof. */
  get anonymous(): Peer {
    return { spiffeId: '', chain: [], attestation: this.#attestation }
  }

  /** @throws {NsmError} `unauthenticated` when the peer has not, or no longer, proven who it is */
  peer(rules: PeerRules): Peer {
    if (this.#chain.length === 0) throw new NsmError('unauthenticated', 'Cannot identify caller: no client certificate')
    const { spiffeId } = this.#verify(rules)
    if (rules.isRevoked(spiffeId)) {
      throw new NsmError('unauthenticated', 'Cannot accept caller: its identity is revoked', { fields: { spiffeId } })
    }
    return { spiffeId, chain: this.#chain, attestation: this.#attestation }
  }

  /** Ends the connection when its peer's certificate expires, or, of an unknown peer, soon. Returns how to stop that. */
  limit(rules: PeerRules): () => void {
    const leftMs = this.#isAccepted(rules) ? (this.#verified?.expiresMs ?? 0) - rules.clock.nowMs() : UNPROVEN_MS
    return rules.clock.after(leftMs, () => this.#socket.destroy())
  }

  /** Ends the connection of a peer that would be refused now. */
  recheck(rules: PeerRules): void {
    if (this.#chain.length > 0 && !this.#isAccepted(rules)) this.#socket.destroy()
  }

  #isAccepted(rules: PeerRules): boolean {
    try {
      this.peer(rules)
      return true
    } catch {
      return false
    }
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
