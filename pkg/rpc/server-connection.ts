/**
 * One accepted connection and who is behind it. The peer is judged again on every call: against the bundles of that
 * moment, its expiry and its revocation, since a connection may live longer than the trust in its peer.
 */
import type { Duplex } from 'node:stream'
import type { Attestation, Peer } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type Bundles, type IdentitySource, verifySvid } from '../identity/index.ts'

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

  /** Ends the connection of a peer that would be refused now, or at its expiry. Returns how to stop waiting for that. */
  enforce(rules: PeerRules): () => void {
    if (this.#chain.length === 0) return () => {}
    try {
      this.peer(rules)
    } catch {
      this.#socket.destroy()
    }
    const leftMs = (this.#verified?.expiresMs ?? 0) - rules.clock.nowMs()
    return rules.clock.after(leftMs, () => this.#socket.destroy())
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
