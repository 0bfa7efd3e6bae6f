/**
 * NSM's MonitorConnection: what the caller may see of this node's connections, now and as they change. A caller sees
 * the connections on whose path its identity was proven; an administrator of the node sees all.
 */
import type {
  Call,
  Connection,
  ConnectionEvent,
  ConnectionEventType,
  MonitorScopeSelector,
  MonitorServer,
  Peer,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { isSelected } from './select-connections.ts'

/** Changes that a watcher may leave unread before its stream is ended. */
const MAX_UNREAD = 1_000

export interface WatchedConnection {
  readonly connection: Connection
  /** SPIFFE IDs that were proven on its path. */
  readonly identities: readonly string[]
}

export interface ConnectionChange {
  readonly type: Exclude<ConnectionEventType, 'INITIAL_STATE_TRANSFER'>
  readonly record: WatchedConnection
}

export interface Connections {
  all(): Iterable<WatchedConnection>
  subscribe(listener: (change: ConnectionChange) => void): () => void
}

export interface ConnectionMonitorOptions {
  readonly connections: Connections
  /** Whether `peer` sees everything. */
  readonly isAdmin: (peer: Peer) => boolean
}

export class ConnectionMonitor implements MonitorServer {
  readonly #options: ConnectionMonitorOptions

  constructor(options: ConnectionMonitorOptions) {
    this.#options = options
  }

  monitor(selector: MonitorScopeSelector, { peer, signal }: Call): AsyncIterable<ConnectionEvent> {
    const { connections, isAdmin } = this.#options
    const seesAll = isAdmin(peer)
    const isShown = ({ connection, identities }: WatchedConnection) =>
      (seesAll || identities.includes(peer.spiffeId)) && isSelected(selector, connection)
    return eventsOf(connections, isShown, signal)
  }
}

/** INVARIANT: the first event is the initial state, even when it is empty: callers wait for it. */
function eventsOf(
  connections: Connections,
  isShown: (watched: WatchedConnection) => boolean,
  signal: AbortSignal,
): AsyncIterable<ConnectionEvent> {
  let stop = () => {}
  return new ReadableStream<ConnectionEvent>(
    {
      start(controller) {
        const shown = [...connections.all()].filter(isShown)
        controller.enqueue(eventOf('INITIAL_STATE_TRANSFER', shown))
        const unsubscribe = connections.subscribe(({ type, record }) => {
          if (isShown(record)) push(controller, eventOf(type, [record]), stop)
        })
        const onAbort = () => {
          stop()
          controller.close()
        }
        stop = () => {
          unsubscribe()
          signal.removeEventListener('abort', onAbort)
        }
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      },
      cancel: () => stop(),
    },
    new CountQueuingStrategy({ highWaterMark: MAX_UNREAD }),
  )
}

/** A change never waits for its watchers: the stream of one that does not read is ended. */
function push(
  controller: ReadableStreamDefaultController<ConnectionEvent>,
  event: ConnectionEvent,
  stop: () => void,
): void {
  if ((controller.desiredSize ?? 0) > 0) {
    controller.enqueue(event)
    return
  }
  stop()
  controller.error(
    new NsmError('resource_exhausted', 'Cannot go on monitoring: too many changes were left unread', {
      fields: { most: MAX_UNREAD },
      next: 'monitor again: the present state comes first',
    }),
  )
}

function eventOf(type: ConnectionEventType, watched: readonly WatchedConnection[]): ConnectionEvent {
  return { type, connections: new Map(watched.map(({ connection }) => [connection.id, connection])) }
}
