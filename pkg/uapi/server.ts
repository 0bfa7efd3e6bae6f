/**
 * The socket where `wg show` finds a node. One connection is one request and one answer:
 *
 *     get=1                        ->   listen_port=..., peers, errno=0
 *     set=1, or no request at all  ->   errno=-1 or errno=-22, and nothing else
 */
import { mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { type Clock, describeError, type Logger, NsmError, within } from '../base/index.ts'
import { type Listener, listen } from '../rpc/index.ts'
import { errno, RequestReader, type Verdict } from './request.ts'

export interface UapiOptions {
  /** Of the socket; its folder is made where there is none. */
  readonly path: string
  /** Lines of the answer to `get=1`. */
  readonly list: (signal: AbortSignal) => Promise<readonly string[]>
  readonly clock: Clock
  readonly logger: Logger
}

/** From the first byte until the client has read the answer. */
const CONNECTION_MS = 5_000
const MAX_CONNECTIONS = 16

/**
 * Open to the owner of the socket alone, and to root.
 * @throws {NsmError} `failed_precondition` when somebody else answers there, or the socket cannot be made
 */
export async function serveUapi(options: UapiOptions): Promise<Pick<Listener, 'close'>> {
  const { path, clock } = options
  await makeFolder(dirname(path))
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
  socket.allowHalfOpen = true // a client that has said everything still wants its answer
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    if (isAnswered) return // read, and dropped: what is left unread would reset the connection under the answer
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

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot make the folder of the WireGuard UAPI socket', {
      cause,
      fields: { path },
      next: `make it for the user of this process, or leave NSM_UAPI_SOCKET out`,
    })
  }
}
