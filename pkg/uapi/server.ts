/**
 * The socket at which `wg show` finds a node. Each connection carries one request and one answer:
 *
 *     get=1                        ->   listen_port=..., peers, errno=0
 *     set=1, or an invalid request ->   errno=-1 or errno=-22, and nothing else
 */
import { mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { type Clock, describeError, type Logger, NsmError, within } from '../base/index.ts'
import { type Listener, listen } from '../rpc/index.ts'
import { errno, RequestReader, type Verdict } from './request.ts'

export interface UapiOptions {
  /** The path of the socket. Its directory is created if it does not exist. */
  readonly path: string
  /** Returns the lines of the answer to `get=1`. */
  readonly list: (signal: AbortSignal) => Promise<readonly string[]>
  readonly clock: Clock
  readonly logger: Logger
}

/** The time limit from the first byte until the client has read the answer. */
const CONNECTION_MS = 5_000
const MAX_CONNECTIONS = 16

/**
 * Only the owner of the socket and root can connect.
 * @throws {NsmError} `failed_precondition` when another process listens there, or the socket cannot be created
 */
export async function serveUapi(options: UapiOptions): Promise<Pick<Listener, 'close'>> {
  const { path, clock } = options
  await makeDirectory(dirname(path))
  const open = new Set<Socket>()
  const listener = await listen(`unix://${path}`, 'owner', (socket) => {
    if (open.size >= MAX_CONNECTIONS) return void socket.destroy()
    open.add(socket)
    const cancel = clock.after(CONNECTION_MS, () => socket.destroy())
    socket.once('close', () => {
      cancel()
      open.delete(socket)
    })
    converse(socket, options)
  })
  return {
    async close() {
      await listener.close()
      for (const socket of open) socket.destroy()
    },
  }
}

function converse(socket: Socket, options: UapiOptions): void {
  const reader = new RequestReader()
  let isAnswered = false
  const answer = (verdict: Verdict) => {
    isAnswered = true
    void answerOf(verdict, options).then((text) => socket.end(text))
  }
  socket.allowHalfOpen = true // a client that has shut down its sending side still expects the answer
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    // Discard: closing with unread data would reset the connection before the client has read the answer.
    if (isAnswered) return
    const verdict = reader.push(chunk)
    if (verdict !== undefined) answer(verdict)
  })
  socket.on('end', () => {
    if (!isAnswered) answer(errno.invalid)
  })
}

async function answerOf(verdict: Verdict, { list, clock, logger }: UapiOptions): Promise<string> {
  if (verdict !== 'get') return `errno=${verdict}\n\n`
  try {
    const lines = await within({ clock, ms: CONNECTION_MS }, list)
    return [...lines, 'errno=0', '', ''].join('\n')
  } catch (error) {
    logger.warn('Cannot list the WireGuard sessions', { error: describeError(error) })
    return `errno=${errno.ioError}\n\n`
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot create the directory of the WireGuard UAPI socket', {
      cause,
      fields: { path },
      next: 'create it for the user of this process, or unset NSM_UAPI_SOCKET',
    })
  }
}
