import { type Clock, NsmError } from '../base/index.ts'
import { type IdentitySource, TokenMinter } from '../identity/index.ts'
import { Channel, type HolderDial, type PeerExpectation } from './channel.ts'

export interface ChannelsOptions {
  readonly identity: IdentitySource
  readonly clock: Clock
  /** For tokens whose lifetime is not the default. */
  readonly tokens?: TokenMinter
  /** Whether an identity is revoked at this moment; without it nobody is. */
  readonly isRevoked?: (spiffeId: string) => boolean
}

export interface PeerOptions extends Pick<PeerExpectation, 'expect' | 'mayReach'> {
  /** For endpoints of this machine. */
  readonly via?: HolderDial
  /** A name for the expected peers. Channels are shared only between calls that expect the same ones. */
  readonly role?: string
}

/** Channels to former addresses of endpoints are closed after this time. */
const IDLE_MS = 10 * 60_000

/** The channels of a process: one per peer, shared by all callers. */
export class Channels {
  readonly #options: ChannelsOptions
  readonly #tokens: TokenMinter
  readonly #channels = new Map<string, { readonly channel: Channel; usedMs: number }>()
  #isClosed = false

  constructor(options: ChannelsOptions) {
    this.#options = options
    this.#tokens = options.tokens ?? new TokenMinter(options.clock)
  }

  /** @throws {NsmError} `invalid_argument` for an invalid address */
  to(url: string, { via, role = '', ...expectation }: PeerOptions = {}): Channel {
    if (this.#isClosed) throw new NsmError('cancelled', 'Cannot call the peer: the channels are closed')
    const nowMs = this.#options.clock.monotonicMs()
    this.#closeIdle(nowMs)
    const key = JSON.stringify([url, via?.socket, via?.uid, role])
    const known = this.#channels.get(key)
    if (known !== undefined) {
      known.usedMs = nowMs
      return known.channel
    }
    const { identity, clock, isRevoked = () => false } = this.#options
    const security = { identity, isRevoked, ...expectation }
    const channel = new Channel(url, { security, clock, tokens: this.#tokens, ...(via === undefined ? {} : { via }) })
    this.#channels.set(key, { channel, usedMs: nowMs })
    return channel
  }

  /** Ends the calls to peers that are no longer trusted. To be called after a revocation. */
  recheck(): void {
    for (const { channel } of this.#channels.values()) channel.recheck()
  }

  close(): void {
    this.#isClosed = true
    for (const { channel } of this.#channels.values()) channel.close()
    this.#channels.clear()
  }

  #closeIdle(nowMs: number): void {
    for (const [key, { channel, usedMs }] of this.#channels) {
      if (nowMs - usedMs < IDLE_MS || channel.calls > 0) continue
      channel.close()
      this.#channels.delete(key)
    }
  }
}
