import type { Clock, Logger } from '../base/index.ts'
import type { Dataplane } from '../dataplane/index.ts'
import type { Listener } from '../rpc/index.ts'
import { listDevice } from './device.ts'
import { serveUapi } from './server.ts'

export interface SessionsOptions {
  /** The path of the socket. */
  readonly path: string
  /** The UDP port of the encrypted wires of the node. */
  readonly listenPort: number
  readonly dataplane: Dataplane
  readonly clock: Clock
  readonly logger: Logger
}

/** Serves the sessions of the node to WireGuard's own tools. */
export async function serveSessions(options: SessionsOptions): Promise<Pick<Listener, 'close'>> {
  const { path, listenPort, dataplane, clock, logger } = options
  const list = async (signal: AbortSignal) => {
    const [ports, counters] = await Promise.all([dataplane.ports(signal), dataplane.counters(signal)])
    return listDevice({ listenPort, ports, counters, nowMs: clock.nowMs() })
  }
  const listener = await serveUapi({ path, list, clock, logger })
  logger.info('Serving the sessions to wg show', { socket: path })
  return listener
}
