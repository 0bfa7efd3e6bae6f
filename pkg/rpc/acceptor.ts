/**
 * Accepts the connections of a server, from the socket to HTTP/2. Each certificate of the server starts a generation:
 * after a renewal, new connections belong to the next generation, and the connections of the last one are drained.
 *
 *     socket -> admission -> TLS -> peer accepted?  yes: members   no: strangers, who get 4 small calls at a time
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { type Attestation, trustDomainOf } from '../api/index.ts'
import { type Clock, type Logger, Scope } from '../base/index.ts'
import type { Svid } from '../identity/index.ts'
import { formatPrefix, network, parsePrefix } from '../net/index.ts'
import { shareOf } from '../policy/index.ts'
import { Admission } from './admission.ts'
import { acceptTls, firstBytes } from './handshake.ts'
import { DRAIN_MS, HANDSHAKE_MS, LOCAL_SHARES, REMOTE_SHARES } from './limits.ts'
import type { MutualTls } from './mutual-tls.ts'
import { peerChain } from './peer-chain.ts'
import { type PeerRules, ServerConnection } from './server-connection.ts'
import { secureContextOptions } from './tls-options.ts'

interface Injector {
  injectConnection(connection: Duplex): void
  drain(graceMs: number): void
  destroy(): void
}

/** Whether we know the peer of a connection. It decides how much the connection may use. */
export type Standing = 'member' | 'stranger'

interface Generation {
  readonly injectors: Readonly<Record<Standing, Injector>>
  readonly svid: Svid | undefined
  readonly tls: SecureContextOptions | undefined
}

interface Admitted {
  readonly socket: Socket
  readonly attestation: Attestation | undefined
  readonly generation: Generation
}

interface Connected {
  readonly connection: ServerConnection
  /** Whose share the connection uses: an account, an identity; empty: a stranger's. */
  readonly holder: string
  readonly isAttested: boolean
  readonly cancelLimit: () => void
}

export interface AcceptorOptions {
  readonly security: MutualTls | 'plaintext'
  /** Creates an injector of connections into the gRPC server for these peers. */
  readonly inject: (standing: Standing) => Injector
  readonly clock: Clock
  readonly logger: Logger
}

export class Acceptor {
  readonly #options: AcceptorOptions
  readonly #rules: PeerRules | undefined
  readonly #scope = new Scope()
  readonly #sockets = new Set<Socket>()
  readonly #remote = new Admission(REMOTE_SHARES)
  readonly #local = new Admission(LOCAL_SHARES)
  readonly #connections = new Map<string, Connected>()
  #generation: Generation
  #lastId = 0

  constructor(options: AcceptorOptions) {
    this.#options = options
    this.#rules = peerRules(options)
    this.#generation = newGeneration(options)
    if (options.security !== 'plaintext') {
      this.#scope.defer(options.security.identity.subscribe(() => this.#onIdentity()))
    }
  }

  /** Undefined for a plaintext server, whose peers have no identity. */
  get rules(): PeerRules | undefined {
    return this.#rules
  }

  /** Finds a connection by the id that `getPeer` returns for its calls. */
  find(id: string): ServerConnection | undefined {
    return this.#connections.get(id)?.connection
  }

  /** Whose share the calls of a connection use. */
  holderOf(id: string): string {
    return this.#connections.get(id)?.holder ?? ''
  }

  /** Whose quota the calls of a connection use: of a caller over the network, who answers for there being such a caller. */
  callerOf(id: string): string {
    const { security } = this.#options
    const connected = this.#connections.get(id)
    if (connected === undefined || security === 'plaintext') return connected?.holder ?? ''
    const { holder, isAttested } = connected
    return isAttested ? holder : shareOf(holder, trustDomainOf(security.identity.current().svid.spiffeId))
  }

  accept(socket: Socket, attestation: Attestation | undefined): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    this.#admissionOf(attestation).enter(socket, sourceOf(socket, attestation))
    const generation = this.#generation
    const admitted = { socket, attestation, generation }
    if (generation.tls !== undefined) this.#secure(admitted, generation.tls)
    else this.#admit(socket, new ServerConnection(socket, [], attestation), admitted)
  }

  recheck(): void {
    const rules = this.#rules
    if (rules === undefined) return
    for (const { connection } of this.#connections.values()) connection.recheck(rules)
  }

  async close(): Promise<void> {
    await this.#scope.close()
    for (const { cancelLimit } of this.#connections.values()) cancelLimit()
    for (const socket of this.#sockets) socket.destroy()
  }

  #admissionOf(attestation: Attestation | undefined): Admission {
    return attestation === undefined && this.#rules !== undefined ? this.#remote : this.#local
  }

  #secure(admitted: Admitted, tls: SecureContextOptions): void {
    const { socket, attestation } = admitted
    const cancel = this.#options.clock.after(HANDSHAKE_MS, () => socket.destroy())
    firstBytes(socket)
      .then(() => acceptTls(socket, tls))
      .then((secure) => this.#admit(secure, new ServerConnection(secure, peerChain(secure), attestation), admitted))
      .catch((error: unknown) => {
        socket.destroy()
        this.#options.logger.debug('Dropped a connection', { error })
      })
      .finally(cancel)
  }

  #admit(stream: Duplex, connection: ServerConnection, { socket, attestation, generation }: Admitted): void {
    const identity = this.#rules === undefined ? '' : connection.identity(this.#rules)
    const isMember = identity !== undefined
    const admission = this.#admissionOf(attestation)
    const holder = isMember ? (attestation?.account ?? identity) : ''
    if (!isMember) admission.meet(socket, sourceOf(socket, attestation))
    else if (!admission.prove(socket, holder)) {
      socket.destroy()
      return
    }
    const id = this.#register(stream, connection, { holder, isAttested: attestation !== undefined })
    // grpc-js returns remoteAddress as the peer of a call, so that we can look up the connection of each call.
    Object.defineProperties(stream, { remoteAddress: { value: id }, remotePort: { value: undefined } })
    generation.injectors[isMember ? 'member' : 'stranger'].injectConnection(stream)
  }

  #register(stream: Duplex, connection: ServerConnection, who: Pick<Connected, 'holder' | 'isAttested'>): string {
    this.#lastId += 1
    const id = `connection-${this.#lastId}`
    const cancelLimit = this.#rules === undefined ? () => {} : connection.limit(this.#rules)
    this.#connections.set(id, { connection, ...who, cancelLimit })
    stream.once('close', () => {
      cancelLimit()
      this.#connections.delete(id)
    })
    return id
  }

  #onIdentity(): void {
    const { security, clock } = this.#options
    this.recheck()
    const last = this.#generation
    if (security === 'plaintext' || security.identity.current().svid === last.svid) return
    this.#generation = newGeneration(this.#options)
    const graceMs = Math.min(DRAIN_MS, Math.max(0, (last.svid?.expiresMs ?? 0) - clock.nowMs()))
    const injectors = Object.values(last.injectors)
    for (const each of injectors) each.drain(graceMs)
    const destroy = () => {
      for (const each of injectors) each.destroy()
    }
    this.#scope.defer(clock.after(graceMs, destroy))
  }
}

function peerRules({ security, clock }: AcceptorOptions): PeerRules | undefined {
  if (security === 'plaintext') return undefined
  return { identity: security.identity, clock, isRevoked: security.isRevoked ?? (() => false) }
}

/** What one peer cannot make more of: its account on this machine; over the network its address, in IPv6 its /64. */
function sourceOf({ remoteAddress = '' }: Socket, attestation: Attestation | undefined): string {
  if (attestation !== undefined) return attestation.account
  const [address = ''] = remoteAddress.replace(/^::ffff:(?=.*\.)/, '').split('%') // IPv4 on a socket for both; zones
  return address.includes(':') ? formatPrefix(network(parsePrefix(`${address}/64`))) : address
}

function newGeneration({ security, inject }: AcceptorOptions): Generation {
  const injectors = { member: inject('member'), stranger: inject('stranger') }
  if (security === 'plaintext') return { injectors, svid: undefined, tls: undefined }
  const { svid, bundles } = security.identity.current()
  const domain = trustDomainOf(svid.spiffeId)
  const authorities = security.sendAuthorities === true ? (bundles.get(domain) ?? []) : []
  return { injectors, svid, tls: secureContextOptions({ svid, authorities }) }
}
