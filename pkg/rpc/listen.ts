import { chmod, lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { NsmError } from '../base/index.ts'
import { parseTarget, type Target } from './target.ts'

export interface Listener {
  readonly url: string
  close(): Promise<void>
}

/**
 * Who may connect to a unix socket: only its owner, or everyone who can enter its directory. The latter is for sockets
 * whose callers are authorized by other means than the file mode.
 */
export type Access = 'owner' | 'everyone'

/** @throws {NsmError} `failed_precondition` when the address is in use or not available */
export async function listen(
  url: string | undefined,
  access: Access,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  if (url === undefined) return { url: '', close: async () => {} }
  const target = parseTarget(url)
  if (target.kind === 'unix') await removeStaleSocket(target.path)
  const server = createServer({ noDelay: true }, accept)
  await start(server, listenOptions(target, access), url)
  // The usual umask already keeps others out from the first moment; this holds with any umask.
  if (target.kind === 'unix' && access === 'owner') await chmod(target.path, 0o600)
  return {
    url: target.kind === 'unix' ? url : `tcp://${formatHost(target.host)}:${portOf(server)}`,
    // Stops listening immediately. We do not wait for its callback, which comes only after all connections have ended.
    close: async () => void server.close(),
  }
}

function listenOptions(target: Target, access: Access): ListenOptions {
  const isForAll = access === 'everyone'
  if (target.kind === 'unix') return { path: target.path, readableAll: isForAll, writableAll: isForAll }
  return { host: target.host, port: target.port }
}

function start(server: Server, options: ListenOptions, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const next = 'stop the other process that listens on this address, or choose another address'
      reject(new NsmError('failed_precondition', 'Cannot listen on the address', { cause, fields: { url }, next }))
    })
    server.listen(options, () => {
      server.removeAllListeners('error')
      // For errors such as too many open files: the connection fails, but the listener stays.
      server.on('error', () => {})
      resolve()
    })
  })
}

/** Crash: a killed process leaves its socket file behind, on which nobody listens any more. */
async function removeStaleSocket(path: string): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy() // otherwise it would keep a process alive that fails to start
      resolve('taken')
    })
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : ''))
  })
  if (answer === 'ECONNREFUSED' && (await lstat(path)).isSocket()) await unlink(path)
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
