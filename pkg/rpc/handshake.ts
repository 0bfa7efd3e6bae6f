/** Both sides of a TLS handshake. The peer's certificate is verified afterwards, by the rules of SPIFFE. */
import type { Socket } from 'node:net'
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { NsmError } from '../base/index.ts'
import { HandshakeFailure } from './transport-failure.ts'

const h2Unverified = { ALPNProtocols: ['h2'], rejectUnauthorized: false }

/** Waits until the client has said something, so that who connects and is silent costs us no TLS session. */
export function firstBytes(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReadable = () => settle(socket.readableLength > 0)
    const onClose = () => settle(false)
    const settle = (hasSpoken: boolean) => {
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      if (hasSpoken) resolve()
      else reject(new NsmError('unauthenticated', 'Cannot complete the TLS handshake: the client has said nothing'))
    }
    socket.on('readable', onReadable)
    socket.once('close', onClose)
  })
}

/**
 * The server side, on a connection from which a preface may have been read already. Each connection gets its own TLS
 * server, because that is how we know to which plain socket a secure one belongs.
 */
export function acceptTls(socket: Socket, options: SecureContextOptions): Promise<TLSSocket> {
  const server = createServer({ ...options, ...h2Unverified, requestCert: true })
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) =>
      reject(new NsmError('unauthenticated', 'Cannot complete the TLS handshake', { cause }))
    server.once('tlsClientError', fail)
    socket.once('close', () => fail())
    server.once('secureConnection', (secure) => {
      secure.on('error', () => secure.destroy())
      resolve(secure)
    })
    server.emit('connection', socket)
  })
}

export function connectTls(socket: Socket, options: SecureContextOptions): Promise<TLSSocket> {
  const secure = connect({ ...options, ...h2Unverified, socket, checkServerIdentity: () => undefined })
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) => reject(new HandshakeFailure('the TLS handshake did not complete', { cause }))
    secure.once('close', () => fail())
    secure.once('error', fail)
    secure.once('secureConnect', () => resolve(secure))
  })
}
