import type { Connection, ConnectionEvent, MonitorClient } from '../api/index.ts'
import { Backoff, type Clock } from '../base/index.ts'

/** `down`: the mesh says that the wire is gone or broken. `unsure`: the mesh was away and may have forgotten it. */
type Trouble = 'down' | 'unsure'

export interface Watched {
  readonly connection: Connection
  readonly monitor: MonitorClient
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Follows what the mesh says of the wire until there is trouble with it. */
export async function wireTrouble({ connection, monitor, clock, signal }: Watched): Promise<Trouble> {
  const backoff = new Backoff({ firstMs: 100, mostMs: 2_000 })
  const { index, segments } = connection.path
  const pathSegments = segments.slice(index, index + 1).map(({ name, id }) => ({ name, id, token: '' }))
  for (let isFirst = true; ; isFirst = false) {
    try {
      for await (const event of monitor.monitor({ pathSegments, networkServices: [] }, { signal })) {
        if (!isFirst) return 'unsure'
        if (saysDown(event)) return 'down'
      }
    } catch {
      // A stream that broke is opened again below; the answer then tells whether the mesh still knows the wire.
    }
    signal.throwIfAborted()
    await clock.sleep(backoff.next(), signal)
  }
}

function saysDown({ type, connections }: ConnectionEvent): boolean {
  if (type === 'INITIAL_STATE_TRANSFER' && connections.size === 0) return true
  return type === 'DELETE' || [...connections.values()].some(({ state }) => state === 'DOWN')
}
