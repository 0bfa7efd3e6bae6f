import { chmod, lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { NsmError } from '../base/index.ts'
import { MAX_CONNECTIONS } from './limits.ts'
import { parseTarget, type Target } from './target.ts'

export interface Listener {
  readonly url: string
  close(): Promise<void>
}

/**
 * Unix sockets can be opened by their owner alone, or, where something else than the file's mode decides who may
 * call, by every user who can enter the directory.
 */
export type Openness = 'owner' | 'everyone'

/** @throws {NsmError} `failed_precondition` when the address is taken or not ours */
export async function listen(
  url: string | undefined,
  openness: Openness,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  if (url === undefined) return { url: '', close: async () => {} }
  const target = parseTarget(url)
  if (target.kind === 'unix') await removeStaleSocket(target.path)
  const server = createServer({ noDelay: true }, accept)
  server.maxConnections = MAX_CONNECTIONS
  await start(server, listenOptions(target, openness), url)
  // The usual umask keeps others from connecting from the first moment; this keeps them out under any.
  if (target.kind === 'unix' && openness === 'owner') await chmod(target.path, 0o600)
  return {
    url: target.kind === 'unix' ? url : `tcp://${formatHost(target.host)}:${portOf(server)}`,
    // Listens no more at once; its callback would wait for connections, which others end.
    close: async () => void server.close(),
  }
}

function listenOptions(target: Target, openness: Openness): ListenOptions {
  const isForAll = openness === 'everyone'
  if (target.kind === 'unix') return { path: target.path, readableAll: isForAll, writableAll: isForAll }
  return { host: target.host, port: target.port }
}

function start(server: Server, options: ListenOptions, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const next = 'Look for another process on this address, or choose another address'
      reject(new NsmError('failed_precondition', 'Cannot listen', { cause, fields: { url }, next }))
    })
    server.listen(options, () => {
      server.removeAllListeners('error')
      // Such as too many open files: this connection fails, the listener stays.
      server.on('error', () => {})
      resolve()
    })
  })
}

/** Crash: a process that was killed leaves its socket file behind, which then answers to nobody. */
async function removeStaleSocket(path: string): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy() // left open it would keep a process alive that cannot start
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
