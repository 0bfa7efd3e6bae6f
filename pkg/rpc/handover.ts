import type { Socket } from 'node:net'
import { type Clock, type Logger, limitedLogger, NsmError } from '../base/index.ts'
import { HANDSHAKE_MS } from './limits.ts'
import { type Listener, listen } from './listen.ts'
import { receivePreface } from './receive-preface.ts'
import type { Server } from './serve.ts'

export interface HandoverOptions {
  /** The socket to which the holder connects, `unix:///path`. */
  readonly listen: string
  /** The servers, by the name of the holder's socket to which clients connect. */
  readonly servers: ReadonlyMap<string, Pick<Server, 'accept'>>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Takes over the local connections that the holder has accepted. Each one begins with a preface that attests the
 * client; the client's own bytes follow.
 *
 * INVARIANT: only the holder and this process can enter the directory of the socket, so prefaces are trusted. The
 * socket itself has an open mode, because the holder lacks the capability to override file modes.
 */
export async function serveHandovers(options: HandoverOptions): Promise<Listener> {
  const logger = limitedLogger(options.logger, { clock: options.clock })
  const { url, close } = await listen(options.listen, 'everyone', (socket) => {
    takeOver(socket, options).catch((error: unknown) => {
      logger.warn('Dropped a local connection', { error })
      socket.destroy()
    })
  })
  return {
    url,
    async close() {
      await close()
      logger.close()
    },
  }
}

async function takeOver(socket: Socket, { servers, clock }: HandoverOptions): Promise<void> {
  const cancel = clock.after(HANDSHAKE_MS, () => socket.destroy())
  const { listener, ...attestation } = await receivePreface(socket).finally(cancel)
  const server = servers.get(listener)
  if (server === undefined)
    throw new NsmError('not_found', 'Cannot take over the connection: its socket is unknown', { fields: { listener } })
  server.accept(socket, attestation)
}
