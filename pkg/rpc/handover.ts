import type { Socket } from 'node:net'
import type { Attestation } from '../api/index.ts'
import { type Clock, type Logger, NsmError } from '../base/index.ts'
import { readPreface } from '../netlink/index.ts'
import { HANDSHAKE_MS } from './limits.ts'
import { type Listener, listen } from './listen.ts'
import type { Server } from './serve.ts'

export interface HandoverOptions {
  /** `unix:///path` where the holder connects. */
  readonly listen: string
  /** By the name of the holder's socket that a client came to. */
  readonly servers: ReadonlyMap<string, Pick<Server, 'accept'>>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Takes over the local connections that the holder accepted: its word of who it is, then the client's own bytes.
 * INVARIANT: only the holder and this process can enter the directory of the socket; what comes in is believed. The
 * socket itself is open, since the holder has no right to override a file's mode.
 */
export function serveHandovers(options: HandoverOptions): Promise<Listener> {
  return listen(options.listen, 'everyone', (socket) => {
    deliver(socket, options).catch((error: unknown) => {
      options.logger.warn('Dropped a local connection', { error })
      socket.destroy()
    })
  })
}

async function deliver(socket: Socket, { servers, clock }: HandoverOptions): Promise<void> {
  const cancel = clock.after(HANDSHAKE_MS, () => socket.destroy())
  const { listener, ...attestation } = await receivePreface(socket).finally(cancel)
  const server = servers.get(listener)
  if (server === undefined) throw new NsmError('not_found', 'Cannot deliver: unknown socket', { fields: { listener } })
  server.accept(socket, attestation)
}

/** Reads exactly the preface; what follows stays in the stream. @throws what the holder refused, or says wrongly */
export async function receivePreface(socket: Socket): Promise<Attestation & { readonly listener: string }> {
  let seen = Buffer.alloc(0)
  while (true) {
    const chunk = await nextChunk(socket)
    seen = Buffer.concat([seen, chunk])
    const preface = readPreface(seen)
    if (preface === undefined) continue
    if (seen.length > preface.length) socket.unshift(seen.subarray(preface.length))
    return preface.attestation
  }
}

function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      socket.off('error', onClose)
    }
    const onReadable = () => {
      const chunk: unknown = socket.read()
      if (!Buffer.isBuffer(chunk)) return
      stop()
      resolve(chunk)
    }
    const onClose = (cause: unknown) => {
      stop()
      reject(new NsmError('unavailable', 'Cannot read preface: connection closed', { cause }))
    }
    socket.on('readable', onReadable)
    socket.on('close', onClose)
    socket.on('error', onClose)
  })
}
