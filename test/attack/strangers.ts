/** What somebody without a certificate can do at a TLS door, spoken on the level of TLS and HTTP/2. */
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Scope } from '../../pkg/base/index.ts'
import type { IdentitySource } from '../../pkg/identity/index.ts'
import { secureContextOptions } from '../../pkg/rpc/tls-options.ts'

const MOST = Buffer.alloc(2 ** 20)

interface Door {
  readonly host: string
  readonly port: number
}

export class Stranger {
  readonly #door: Door
  readonly #scope = new Scope()

  /** @param url `tcp://host:port` */
  constructor(url: string) {
    const { hostname: host, port } = new URL(url)
    this.#door = { host, port: Number(port) }
  }

  /** Connects, and says nothing. */
  async idle(): Promise<Socket> {
    const socket = connect(this.#door)
    this.#scope.defer(() => void socket.destroy())
    socket.on('error', () => {})
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    return socket
  }

  /** A connection over which calls can be begun; with an identity, as a member. */
  async session(identity?: IdentitySource): Promise<ClientHttp2Session> {
    const shown = secureContextOptions(identity && { svid: identity.current().svid })
    const secure = connectTls({ ...shown, ...this.#door, ALPNProtocols: ['h2'], rejectUnauthorized: false })
    secure.on('error', () => {})
    await Promise.race([once(secure, 'secureConnect'), once(secure, 'close')])
    const session = connectHttp2(`https://${this.#door.host}`, { createConnection: () => secure })
    session.on('error', () => {})
    this.#scope.defer(() => session.destroy())
    return session
  }

  close(): Promise<void> {
    return this.#scope.close()
  }
}

export interface HalfCall {
  readonly stream: ClientHttp2Stream
  /** Resolves when the other side has taken the bytes, or ended the call. */
  readonly taken: Promise<void>
}

/** Begins a message of `bytes` and leaves it without its end. Undefined: the connection is gone. */
export function beginCall(session: ClientHttp2Session, path: string, bytes: number): HalfCall | undefined {
  if (session.destroyed) return undefined
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  })
  stream.on('error', () => {})
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes, 1)
  stream.write(prefix)
  const taken = new Promise<void>((resolve) => {
    stream.once('close', resolve)
    stream.write(MOST.subarray(0, Math.max(0, bytes - 1)), () => resolve())
  })
  return { stream, taken }
}
