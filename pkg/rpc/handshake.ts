import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { NsmError } from '../base/index.ts'

/**
 * The server's side of TLS on a connection whose first bytes may be read already. The client's certificate is asked
 * for but not judged here: every call does that (see server-connection.ts).
 */
export function acceptTls(socket: Socket, context: SecureContext): Promise<TLSSocket> {
  const tlsSocket = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  })
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) => reject(new NsmError('unauthenticated', 'Cannot finish TLS handshake', { cause }))
    tlsSocket.once('close', () => fail())
    tlsSocket.on('error', fail) // also later ones: an unheard error ends the process
    tlsSocket.once('secure', () => resolve(tlsSocket))
  })
}
