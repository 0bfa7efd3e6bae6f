import type { Connection, ConnectionEvent, MonitorClient } from '../api/index.ts'
import { type Clock, followStream } from '../base/index.ts'

/** `down`: the mesh says that the wire is gone or broken. `unsure`: the mesh was away and may have forgotten it. */
type Fault = 'down' | 'unsure'

const RETRY = { firstMs: 100, maxMs: 2_000 }

export interface Watched {
  readonly connection: Connection
  readonly monitor: MonitorClient
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Follows what the mesh says of the wire until there is fault with it. */
export async function waitForFault({ connection, monitor, clock, signal }: Watched): Promise<Fault> {
  const { index, segments } = connection.path
  const pathSegments = segments.slice(index, index + 1).map(({ name, id }) => ({ name, id, token: '' }))
  // A stream that broke is opened again: its first event tells whether the mesh still knows the wire.
  let opened = 0
  const events = followStream({ clock, retry: RETRY, signal }, () => {
    opened += 1
    return monitor.monitor({ pathSegments, networkServices: [] }, { signal })
  })
  for await (const event of events) {
    if (opened > 1) return 'unsure'
    if (saysDown(event)) return 'down'
  }
  throw signal.reason
}

function saysDown({ type, connections }: ConnectionEvent): boolean {
  if (type === 'INITIAL_STATE_TRANSFER' && connections.size === 0) return true
  return type === 'DELETE' || [...connections.values()].some(({ state }) => state === 'DOWN')
}
