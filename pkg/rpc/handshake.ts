/** The two sides of a TLS handshake. Neither judges the other's certificate: that is done by SPIFFE's rules, after it. */
import type { Socket } from 'node:net'
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { NsmError } from '../base/index.ts'

const h2Unverified = { ALPNProtocols: ['h2'], rejectUnauthorized: false }

/**
 * The server's side, on a connection whose first bytes may be read already. A server of its own for each connection is
 * how Node tells which plain socket a secure one came from.
 */
export function acceptTls(socket: Socket, options: SecureContextOptions): Promise<TLSSocket> {
  const server = createServer({ ...options, ...h2Unverified, requestCert: true })
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) => reject(new NsmError('unauthenticated', 'Cannot finish TLS handshake', { cause }))
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
    const fail = (cause?: unknown) => reject(new NsmError('unavailable', 'Cannot finish TLS handshake', { cause }))
    secure.once('close', () => fail())
    secure.once('error', fail)
    secure.once('secureConnect', () => resolve(secure))
  })
}
