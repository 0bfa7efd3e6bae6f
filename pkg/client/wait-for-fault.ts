import { type Connection, type ConnectionEvent, isConnecting, type MonitorClient } from '../api/index.ts'
import { type Clock, followStream } from '../base/index.ts'

/**
 * `down`: the wire is broken, and the mesh still knows it. `closed`: the mesh has closed it. `unsure`: the mesh was
 * unreachable and may have lost the wire. `outdated`: the mesh asks for a refresh.
 */
export type Fault = 'down' | 'closed' | 'unsure' | 'outdated'

const RETRY = { firstMs: 100, maxMs: 2_000 }

export interface Watched {
  readonly connection: Connection
  readonly monitor: MonitorClient
  /** The wire works: packets have passed both ways, or its node has no means to see that. */
  readonly onUp: () => void
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Monitors the wire until the mesh reports a fault. @throws the reason of `signal` when it aborts */
export async function waitForFault({ connection, monitor, onUp, clock, signal }: Watched): Promise<Fault> {
  const { index, segments } = connection.path
  const pathSegments = segments.slice(index, index + 1).map(({ name, id }) => ({ name, id, token: '' }))
  // A broken stream is reopened. Its first event shows that the mesh is back.
  let opened = 0
  const events = followStream({ clock, retry: RETRY, signal }, () => {
    opened += 1
    return monitor.monitor({ pathSegments, networkServices: [] }, { signal })
  })
  for await (const event of events) {
    if (opened > 1) return 'unsure'
    const fault = faultOf(event)
    if (fault !== undefined) return fault
    if (![...event.connections.values()].some(isConnecting)) onUp()
  }
  throw signal.reason
}

function faultOf({ type, connections }: ConnectionEvent): Fault | undefined {
  if (type === 'DELETE' || (type === 'INITIAL_STATE_TRANSFER' && connections.size === 0)) return 'closed'
  const states = [...connections.values()].map(({ state }) => state)
  if (states.includes('DOWN')) return 'down'
  return states.includes('REFRESH_REQUESTED') ? 'outdated' : undefined
}
