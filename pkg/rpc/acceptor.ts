/**
 * Accepts the connections of a server, from the socket to HTTP/2. Each certificate of the server starts a generation:
 * after a renewal, new connections belong to the next generation, and the connections of the last one are drained.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { type Attestation, trustDomainOf } from '../api/index.ts'
import { type Clock, type Logger, Scope } from '../base/index.ts'
import type { Svid } from '../identity/index.ts'
import { acceptTls } from './handshake.ts'
import { DRAIN_MS, HANDSHAKE_MS } from './limits.ts'
import type { MutualTls } from './mutual-tls.ts'
import { peerChain } from './peer-chain.ts'
import { type PeerRules, ServerConnection } from './server-connection.ts'
import { secureContextOptions } from './tls-options.ts'

interface Injector {
  injectConnection(connection: Duplex): void
  drain(graceMs: number): void
  destroy(): void
}

interface Generation {
  readonly injector: Injector
  readonly svid: Svid | undefined
  readonly tls: SecureContextOptions | undefined
}

interface HandshakeOptions {
  readonly tls: SecureContextOptions
  readonly injector: Injector
  readonly attestation: Attestation | undefined
}

export interface AcceptorOptions {
  readonly security: MutualTls | 'plaintext'
  /** Creates an injector of connections into the gRPC server. */
  readonly inject: () => Injector
  readonly clock: Clock
  readonly logger: Logger
}

export class Acceptor {
  readonly #options: AcceptorOptions
  readonly #rules: PeerRules | undefined
  readonly #scope = new Scope()
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Map<string, { readonly connection: ServerConnection; readonly cancelLimit: () => void }>()
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

  accept(socket: Socket, attestation: Attestation | undefined): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const { tls, injector } = this.#generation
    if (tls !== undefined) this.#secure(socket, { tls, injector, attestation })
    else this.#admit(socket, injector, new ServerConnection(socket, [], attestation))
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

  #secure(socket: Socket, { tls, injector, attestation }: HandshakeOptions): void {
    const cancel = this.#options.clock.after(HANDSHAKE_MS, () => socket.destroy())
    acceptTls(socket, tls)
      .then((secure) => this.#admit(secure, injector, new ServerConnection(secure, peerChain(secure), attestation)))
      .catch((error: unknown) => {
        socket.destroy()
        this.#options.logger.debug('Dropped a connection', { error })
      })
      .finally(cancel)
  }

  #admit(socket: Duplex, injector: Injector, connection: ServerConnection): void {
    this.#lastId += 1
    const id = `connection-${this.#lastId}`
    // grpc-js returns remoteAddress as the peer of a call, so that we can look up the connection of each call.
    Object.defineProperties(socket, { remoteAddress: { value: id }, remotePort: { value: undefined } })
    const cancelLimit = this.#rules === undefined ? () => {} : connection.limit(this.#rules)
    this.#connections.set(id, { connection, cancelLimit })
    socket.once('close', () => {
      cancelLimit()
      this.#connections.delete(id)
    })
    injector.injectConnection(socket)
  }

  #onIdentity(): void {
    const { security, clock } = this.#options
    this.recheck()
    const last = this.#generation
    if (security === 'plaintext' || security.identity.current().svid === last.svid) return
    this.#generation = newGeneration(this.#options)
    const graceMs = Math.min(DRAIN_MS, Math.max(0, (last.svid?.expiresMs ?? 0) - clock.nowMs()))
    last.injector.drain(graceMs)
    this.#scope.defer(clock.after(graceMs, () => last.injector.destroy()))
  }
}

function peerRules({ security, clock }: AcceptorOptions): PeerRules | undefined {
  if (security === 'plaintext') return undefined
  return { identity: security.identity, clock, isRevoked: security.isRevoked ?? (() => false) }
}

function newGeneration({ security, inject }: AcceptorOptions): Generation {
  if (security === 'plaintext') return { injector: inject(), svid: undefined, tls: undefined }
  const { svid, bundles } = security.identity.current()
  const domain = trustDomainOf(svid.spiffeId)
  const authorities = security.sendAuthorities === true ? (bundles.get(domain) ?? []) : []
  return { injector: inject(), svid, tls: secureContextOptions({ svid, authorities }) }
}
