/**
 * The channels of a process: one per peer, shared by all callers. A channel that had no call for a while is closed, since
 * most such peers are former addresses of endpoints. So nobody holds a channel beyond a call: who calls a peer holds a
 * {@link Callee}, for as long as it likes, and each call takes the channel of that moment.
 */
import type { Peer } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type IdentitySource, TokenMinter } from '../identity/index.ts'
import { type Callee, Channel, type HolderDial, type Lease, type PeerExpectation } from './channel.ts'
import { parseTarget } from './target.ts'

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
  readonly via?: HolderDial | undefined
  /** A name for the expected peers. Channels are shared only between calls that expect the same ones. */
  readonly role?: string
  /** Whom the channel leads to, in words for people, such as `the registry of west`. */
  readonly who?: string
}

const IDLE_MS = 10 * 60_000

interface Kept {
  readonly channel: Channel
  /** When the last call began or ended. */
  usedMs: number
}

export class Channels {
  readonly #options: ChannelsOptions
  readonly #tokens: TokenMinter
  readonly #channels = new Map<string, Kept>()
  #cancelSweep: (() => void) | undefined
  #isClosed = false

  constructor(options: ChannelsOptions) {
    this.#options = options
    this.#tokens = options.tokens ?? new TokenMinter(options.clock)
  }

  /** The number of peers to which there is a channel at the moment. */
  get size(): number {
    return this.#channels.size
  }

  /** @throws {NsmError} `invalid_argument` for an invalid address */
  to(url: string, peer: PeerOptions = {}): Callee {
    parseTarget(url)
    return {
      lease: (isEndless) => this.#lease(url, peer, isEndless),
      peer: (signal) => this.#peer(url, peer, signal),
    }
  }

  /** Ends the calls to peers that are no longer trusted. To be called after a revocation. */
  recheck(): void {
    for (const { channel } of this.#channels.values()) channel.recheck()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelSweep?.()
    for (const { channel } of this.#channels.values()) channel.close()
    this.#channels.clear()
  }

  #lease(url: string, peer: PeerOptions, isEndless: boolean | undefined): Lease {
    const kept = this.#use(url, peer)
    const lease = kept.channel.lease(isEndless)
    return {
      ...lease,
      release: () => {
        kept.usedMs = this.#nowMs()
        lease.release()
      },
    }
  }

  async #peer(url: string, peer: PeerOptions, signal: AbortSignal): Promise<Peer> {
    return this.#use(url, peer).channel.peer(signal)
  }

  #use(url: string, { via, role = '', ...expectation }: PeerOptions): Kept {
    if (this.#isClosed) throw new NsmError('cancelled', 'Cannot call the peer: this process is closing its connections')
    const key = JSON.stringify([url, via?.socket, via?.uid, role])
    const kept = this.#channels.get(key) ?? { channel: this.#open(url, { via, ...expectation }), usedMs: 0 }
    kept.usedMs = this.#nowMs()
    this.#channels.set(key, kept)
    this.#cancelSweep ??= this.#options.clock.after(IDLE_MS, () => this.#sweep())
    return kept
  }

  #open(url: string, { via, who, ...expectation }: Omit<PeerOptions, 'role'>): Channel {
    const { identity, clock, isRevoked = () => false } = this.#options
    const security = { identity, isRevoked, ...expectation }
    const named = { ...(via !== undefined && { via }), ...(who !== undefined && { who }) }
    return new Channel(url, { security, clock, tokens: this.#tokens, ...named })
  }

  #sweep(): void {
    const beforeMs = this.#nowMs() - IDLE_MS
    for (const [key, { channel, usedMs }] of this.#channels) {
      if (usedMs > beforeMs || channel.calls > 0) continue
      channel.close()
      this.#channels.delete(key)
    }
    const again = () => this.#options.clock.after(IDLE_MS, () => this.#sweep())
    this.#cancelSweep = this.#channels.size === 0 ? undefined : again()
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}
