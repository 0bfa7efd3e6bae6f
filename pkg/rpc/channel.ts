/**
 * A channel to one peer: one HTTP/2 connection for all calls, established by the first call and re-established with
 * backoff after a failure. A connection carries only so many streams, so endless ones take others when they are many: calls
 * never wait for one to end. When our identity is renewed, new calls use a new connection that presents the new
 * certificate, and the old connection is closed after its last call.
 */
import { isIP } from 'node:net'
import { type CallCredentials, Client } from '@grpc/grpc-js'
import type { Peer, TokenBinding } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import {
  type Bundles,
  type IdentitySource,
  type Svid,
  TokenMinter,
  type VerifiedSvid,
  verifySvid,
} from '../identity/index.ts'
import { limitConnecting } from './connect-timeout.ts'
import { ConnectionStates } from './connection-states.ts'
import { Connector, type ConnectorTls } from './connector.ts'
import { clientOptions } from './limits.ts'
import { verifyByPinnedAuthority } from './pinned-authority.ts'
import { parseTarget, type Target } from './target.ts'
import { closedByUs, noConnection, type Party } from './transport-failure.ts'
import { waitForReady } from './wait-for-ready.ts'

/** How the client and the server authenticate. */
export type ClientSecurity =
  | 'plaintext'
  | (PeerExpectation & { readonly identity: IdentitySource })
  /** The server is authenticated by the SHA-256 of its authority's certificate. `svid` is shown to it, if there is one. */
  | (PeerExpectation & { readonly authoritySha256: Uint8Array; readonly svid?: Svid })

/** Who may answer. */
export interface PeerExpectation {
  readonly expect?: (spiffeId: string) => boolean
  /** Asked for each call: an identity outlives the trust in it. */
  readonly isRevoked?: (spiffeId: string) => boolean
  /** Which IP addresses may be connected to, whatever name was resolved to them. */
  readonly mayReach?: (ip: string) => boolean
}

/** A connection that the holder makes. */
export interface HolderDial {
  /** Path of the holder's dial socket. */
  readonly socket: string
  /** With whose rights it connects; undefined: nobody's. */
  readonly uid: number | undefined
}

export interface DialOptions {
  readonly security: ClientSecurity
  /** For endpoints that listen on a unix socket of this machine. */
  readonly via?: HolderDial
  /** Shared between the channels of a process, so that they reuse tokens. */
  readonly tokens?: TokenMinter
  readonly clock: Clock
  /** Whom it leads to, in words for people, such as `the registry of west`. */
  readonly who?: string
}

/** The connection that uses one certificate of ours. */
interface Generation {
  readonly svid: Svid | undefined
  readonly connector: Connector
  readonly client: Client
  readonly states: ConnectionStates
  calls: number
  /** Those of them that are endless streams. */
  endless: number
}

/** How many endless streams a connection carries, of the 100 streams that servers allow. */
const ENDLESS = { besideCalls: 32, alone: 90 }

/** Keeps a connection open for the duration of one call. */
export interface Lease {
  readonly client: Client
  /** What our clock shows. */
  nowMs(): number
  /** @param end ends a stream that has no end of its own. @returns to be called when it has ended */
  keepStream(end: () => void): () => void
  /** Our token for the peer. */
  credentials(binding: TokenBinding | undefined): CallCredentials
  /** Whom the call goes to. */
  readonly party: Party
  /** Why the connection was refused; undefined if it was not, or if the network failed. */
  refusal(): unknown
  release(): void
}

/** A peer as its callers see it. It costs nothing while there is no call. */
export interface Callee {
  /**
   * @param isEndless for a stream that has no end of its own
   * @throws {NsmError} `cancelled` when its owner has closed it
   */
  lease(isEndless?: boolean): Lease
  /**
   * The peer of the newest connection, which is established first if necessary.
   * @throws {NsmError} such as `unavailable`
   */
  peer(signal: AbortSignal): Promise<Peer>
}

export class Channel implements Callee {
  readonly url: string
  readonly clock: Clock
  readonly #options: DialOptions
  readonly #party: Party
  readonly #tokens: TokenMinter
  readonly #old = new Set<Generation>()
  /** For endless streams alone. */
  readonly #more = new Set<Generation>()
  readonly #unsubscribe: () => void
  #generation: Generation
  #isClosed = false

  /** @throws {NsmError} `invalid_argument` for an invalid address */
  constructor(url: string, options: DialOptions) {
    limitConnecting()
    this.url = url
    this.clock = options.clock
    this.#options = options
    this.#party = { who: options.who ?? 'the peer', url }
    this.#tokens = options.tokens ?? new TokenMinter(options.clock)
    this.#generation = this.#newGeneration()
    const { security } = options
    this.#unsubscribe = isIdentified(security) ? security.identity.subscribe(() => this.#onIdentity()) : () => {}
  }

  /** The number of running calls and streams. */
  get calls(): number {
    return this.#all().reduce((sum, { calls }) => sum + calls, 0)
  }

  async peer(signal: AbortSignal): Promise<Peer> {
    const { client, connector } = this.#generation
    await waitForReady({ client, connector, party: this.#party }, signal)
    const { peer } = connector
    if (peer === undefined) throw noConnection(undefined, this.#party)
    return peer
  }

  lease(isEndless = false): Lease {
    if (this.#isClosed) throw closedByUs(this.#party)
    for (const each of [this.#generation, ...this.#more]) if (!each.connector.isPeerTrusted()) this.#distrust(each)
    if (this.#generation.states.isWorthTrying) this.#replaceGeneration()
    const generation = isEndless ? this.#forStream() : this.#generation
    const endless = isEndless ? 1 : 0
    generation.calls += 1
    generation.endless += endless
    return {
      client: generation.client,
      party: this.#party,
      nowMs: () => this.clock.nowMs(),
      keepStream: (end) => generation.states.addStream(end),
      credentials: (binding) => generation.connector.callCredentials(binding),
      refusal: () => generation.connector.refusal,
      release: () => {
        generation.calls -= 1
        generation.endless -= endless
        this.#closeIfOver(generation)
      },
    }
  }

  /** Ends the calls to a peer that is no longer trusted. To be called after a revocation. */
  recheck(): void {
    for (const generation of this.#all()) {
      if (!generation.connector.isPeerTrusted()) this.#distrust(generation)
    }
  }

  /** Ends all running calls. */
  close(): void {
    this.#isClosed = true
    this.#unsubscribe()
    for (const generation of this.#all()) end(generation)
    this.#old.clear()
    this.#more.clear()
  }

  #all(): readonly Generation[] {
    return [...this.#old, ...this.#more, this.#generation]
  }

  #forStream(): Generation {
    if (this.#generation.endless < ENDLESS.besideCalls) return this.#generation
    const known = [...this.#more].find(({ endless }) => endless < ENDLESS.alone)
    if (known !== undefined) return known
    const made = this.#newGeneration()
    this.#more.add(made)
    return made
  }

  #onIdentity(): void {
    const { security } = this.#options
    this.recheck()
    if (!isIdentified(security) || security.identity.current().svid === this.#generation.svid) return
    this.#replaceGeneration()
  }

  /** New calls take a new connection; the old ones are closed after their last call. */
  #replaceGeneration(): void {
    const last = [this.#generation, ...this.#more]
    for (const each of last) this.#old.add(each)
    this.#more.clear()
    this.#generation = this.#newGeneration()
    for (const each of last) {
      each.states.renewStreams()
      this.#closeIfOver(each)
    }
  }

  /** Ends all calls to a peer whose certificate has expired, that is revoked, or whose domain is no longer trusted. */
  #distrust(generation: Generation): void {
    if (generation === this.#generation) this.#generation = this.#newGeneration()
    this.#old.delete(generation)
    this.#more.delete(generation)
    end(generation)
  }

  #closeIfOver(generation: Generation): void {
    if (generation.calls > 0) return
    if (this.#old.delete(generation) || this.#more.delete(generation)) generation.client.close()
  }

  #newGeneration(): Generation {
    const { security, via, clock } = this.#options
    const svid = ownSvid(security)
    const tls = security === 'plaintext' ? undefined : connectorTls(security, { svid, clock, tokens: this.#tokens })
    const mayReach = security === 'plaintext' ? undefined : security.mayReach
    const connector = new Connector({ tls, dial: via && { url: this.url, uid: via.uid }, mayReach, clock })
    const target = via === undefined ? grpcTarget(parseTarget(this.url)) : `unix:${via.socket}`
    const client = new Client(target, connector, clientOptions)
    return { svid, connector, client, states: new ConnectionStates(client, clock), calls: 0, endless: 0 }
  }
}

function end({ client, connector }: Generation): void {
  client.close()
  connector.end()
}

interface TlsParts {
  readonly svid: Svid | undefined
  readonly clock: Clock
  readonly tokens: TokenMinter
}

function connectorTls(security: Exclude<ClientSecurity, 'plaintext'>, { svid, clock, tokens }: TlsParts): ConnectorTls {
  const verify = isIdentified(security)
    ? cacheVerification((chain, bundles) => verifySvid(chain, bundles, clock.nowMs()), security.identity, clock)
    : (chain: Chain) => verifyByPinnedAuthority(chain, security.authoritySha256, clock.nowMs())
  return {
    identity: svid && { svid },
    token: svid && ((spiffeId, binding) => tokens.token(svid, spiffeId, binding)),
    verify: (chain) => checkPeer(verify(chain), security),
  }
}

type Chain = readonly Uint8Array[]

/** Caches the verification of the peer for all calls, until a trust bundle changes or a certificate expires. */
function cacheVerification(
  verify: (chain: Chain, bundles: Bundles) => VerifiedSvid,
  identity: IdentitySource,
  clock: Clock,
): (chain: Chain) => VerifiedSvid {
  let last: { readonly chain: Chain; readonly bundles: Bundles; readonly peer: VerifiedSvid } | undefined
  return (chain) => {
    const { bundles } = identity.current()
    const isKnown = last?.chain === chain && last.bundles === bundles && clock.nowMs() <= last.peer.expiresMs
    if (last === undefined || !isKnown) last = { chain, bundles, peer: verify(chain, bundles) }
    return last.peer
  }
}

function checkPeer(peer: VerifiedSvid, { expect, isRevoked }: PeerExpectation): VerifiedSvid {
  const spiffeId = peer.spiffeId.id
  if (expect !== undefined && !expect(spiffeId)) {
    throw new NsmError('unauthenticated', 'Cannot accept the server: it has another identity than expected', {
      fields: { spiffeId },
    })
  }
  if (isRevoked?.(spiffeId) !== true) return peer
  throw new NsmError('unauthenticated', 'Cannot accept the server: its identity is revoked', { fields: { spiffeId } })
}

function ownSvid(security: ClientSecurity): Svid | undefined {
  if (security === 'plaintext') return undefined
  return 'identity' in security ? security.identity.current().svid : security.svid
}

function isIdentified(security: ClientSecurity): security is PeerExpectation & { readonly identity: IdentitySource } {
  return security !== 'plaintext' && 'identity' in security
}

function grpcTarget(target: Target): string {
  if (target.kind === 'unix') return `unix:${target.path}`
  const { host, port } = target
  const family = isIP(host)
  return family === 6 ? `ipv6:[${host}]:${port}` : `${family === 4 ? 'ipv4' : 'dns'}:${host}:${port}`
}
