/**
 * How a channel turns a fresh socket into one that gRPC may use: first, for a local endpoint, the holder is told whom
 * to reach and says who answers; then TLS, in which the server must prove an identity that we accept.
 */

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { CallCredentials, ChannelCredentials, Metadata } from '@grpc/grpc-js'
import type { Peer, Token } from '../api/index.ts'
import type { Clock } from '../base/index.ts'
import type { VerifiedSvid } from '../identity/index.ts'
import { dialMessage } from '../netlink/index.ts'
import { writeToken } from './call-metadata.ts'
import { receivePreface } from './handover.ts'
import { connectTls } from './handshake.ts'
import { HANDSHAKE_MS } from './limits.ts'
import { peerChain } from './peer-chain.ts'
import { secureContextOptions, type TlsIdentity } from './tls-options.ts'

export interface ConnectorOptions {
  /** Undefined: plaintext. */
  readonly tls: ConnectorTls | undefined
  /** Said to the holder's dial socket; undefined where the channel leads to the peer itself. */
  readonly dialUrl: string | undefined
  readonly clock: Clock
}

export interface ConnectorTls {
  /** Undefined: without a client certificate. */
  readonly identity: TlsIdentity | undefined
  /** Who is behind the server's chain. @throws when it is not, or no longer, to be trusted */
  readonly verify: (chain: readonly Uint8Array[]) => Pick<VerifiedSvid, 'spiffeId' | 'expiresMs'>
  /** What goes with each call to that server. */
  readonly token: ((spiffeId: string) => Token) | undefined
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

  /** Who answers at the newest connection. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Why the last try did not lead to a connection, where it was not the network. */
  get refusal(): unknown {
    return this.#refusal
  }

  /** Judges the peer of the newest connection again. */
  isPeerTrusted(): boolean {
    if (this.#peer === undefined || this.#options.tls === undefined) return true
    try {
      this.#options.tls.verify(this.#peer.chain)
      return true
    } catch {
      return false
    }
  }

  /** Ends its connections with all calls on them. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy()
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
      getCallCredentials: () => this.#callCredentials(),
      destroy() {},
    }
  }

  async #connect(socket: Socket): Promise<{ socket: Socket; secure: boolean }> {
    const { tls, clock } = this.#options
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    const cancel = clock.after(HANDSHAKE_MS, () => socket.destroy())
    try {
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
    const { dialUrl } = this.#options
    if (dialUrl === undefined) return undefined
    socket.write(dialMessage(dialUrl))
    const { listener: _, ...attestation } = await receivePreface(socket)
    return attestation
  }

  #callCredentials(): CallCredentials {
    return CallCredentials.createFromMetadataGenerator((_, done) => {
      const token = this.#peer && this.#options.tls?.token?.(this.#peer.spiffeId)
      const metadata = new Metadata()
      if (token !== undefined) writeToken(metadata, token)
      done(null, metadata)
    })
  }
}
