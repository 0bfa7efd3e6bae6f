/**
 * Turns a new socket of a channel into one that gRPC can use. For a local endpoint, it first tells the holder which
 * endpoint to dial and receives the attestation of the process that answers. Then comes TLS, in which the server must
 * present an identity that we accept.
 */

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { CallCredentials, ChannelCredentials, Metadata } from '@grpc/grpc-js'
import type { Peer, Token, TokenBinding } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import type { VerifiedSvid } from '../identity/index.ts'
import { dialMessage } from '../netlink/index.ts'
import { writeToken } from './call-metadata.ts'
import { connectTls } from './handshake.ts'
import { HANDSHAKE_MS } from './limits.ts'
import { peerChain } from './peer-chain.ts'
import { receivePreface } from './receive-preface.ts'
import { secureContextOptions, type TlsIdentity } from './tls-options.ts'

export interface ConnectorOptions {
  /** Undefined for plaintext. */
  readonly tls: ConnectorTls | undefined
  /** What the holder has to dial, with whose rights; undefined for a channel that connects to the peer directly. */
  readonly dial: { readonly url: string; readonly uid: number | undefined } | undefined
  /** Which IP addresses may be connected to; undefined for all. */
  readonly mayReach: ((ip: string) => boolean) | undefined
  readonly clock: Clock
}

export interface ConnectorTls {
  /** Undefined for a client without a certificate. */
  readonly identity: TlsIdentity | undefined
  /** Verifies the certificate chain of the server. @throws when it is not, or no longer, trusted */
  readonly verify: (chain: readonly Uint8Array[]) => Pick<VerifiedSvid, 'spiffeId' | 'expiresMs'>
  /** The token for a call to that server. */
  readonly token: ((spiffeId: string, binding: TokenBinding | undefined) => Token) | undefined
}

export class Connector extends ChannelCredentials {
  readonly #options: ConnectorOptions
  readonly #sockets = new Set<Socket>()
  #peer: Peer | undefined
  #refusal: unknown

  constructor(options: ConnectorOptions) {
    super()
    this.#options = options
  }

  /** The peer of the newest connection. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Why the last attempt to connect was refused; undefined if it succeeded, or if the network failed. */
  get refusal(): unknown {
    return this.#refusal
  }

  /** Verifies the peer of the newest connection again. */
  isPeerTrusted(): boolean {
    if (this.#peer === undefined || this.#options.tls === undefined) return true
    try {
      this.#options.tls.verify(this.#peer.chain)
      return true
    } catch {
      return false
    }
  }

  /** Closes all connections, which ends the calls on them. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** The token of one call, made when it is known who answers. */
  callCredentials(binding: TokenBinding | undefined): CallCredentials {
    const makeToken = this.#options.tls?.token
    if (makeToken === undefined) return CallCredentials.createEmpty()
    return CallCredentials.createFromMetadataGenerator((_, done) => {
      const metadata = new Metadata()
      if (this.#peer !== undefined) writeToken(metadata, makeToken(this.#peer.spiffeId, binding))
      done(null, metadata)
    })
  }

  override _isSecure(): boolean {
    return this.#options.tls !== undefined
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }

  override _createSecureConnector() {
    return {
      connect: (socket: Socket) => this.#connect(socket),
      waitForReady: async () => {},
      getCallCredentials: () => CallCredentials.createEmpty(), // each call brings its own
      destroy() {},
    }
  }

  async #connect(socket: Socket): Promise<{ socket: Socket; secure: boolean }> {
    const { tls, clock, mayReach } = this.#options
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    const cancel = clock.after(HANDSHAKE_MS, () => socket.destroy())
    try {
      if (mayReach !== undefined) checkReach(socket, mayReach)
      const attestation = await this.#dial(socket)
      const secure = tls === undefined ? socket : await connectTls(socket, secureContextOptions(tls.identity))
      const chain = secure === socket ? [] : peerChain(secure as TLSSocket)
      this.#peer = { spiffeId: tls?.verify(chain).spiffeId.id ?? '', chain, attestation }
      this.#refusal = undefined
      return { socket: secure, secure: tls !== undefined }
    } catch (error) {
      this.#refusal = error
      socket.destroy()
      throw error
    } finally {
      cancel()
    }
  }

  async #dial(socket: Socket): Promise<Peer['attestation']> {
    const { dial } = this.#options
    if (dial === undefined) return undefined
    socket.write(dialMessage(dial.url, dial.uid))
    const { listener: _, ...attestation } = await receivePreface(socket)
    return attestation
  }
}

/** Judges the address and not the name: what a name resolves to may change between a check and its use. */
function checkReach({ remoteAddress = '' }: Socket, mayReach: (ip: string) => boolean): void {
  if (mayReach(remoteAddress)) return
  throw new NsmError('permission_denied', 'Cannot connect: the address is not one that another machine can have', {
    fields: { address: remoteAddress },
  })
}
