/**
 * NSM's MonitorConnection: streams the connections of this node and their changes. A caller sees the connections whose
 * path contains its verified identity and, on this node, its network namespace, an administrator of the node all, as far
 * as the policy lets them.
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
import type { PolicySource } from '../policy/index.ts'
import { isSelected } from './select-connections.ts'

/** How many changes a watcher may leave unread before its stream is ended and it has to watch again. */
const MAX_UNREAD = 1_000

export interface WatchedConnection {
  readonly connection: Connection
  /** The verified SPIFFE IDs on its path. */
  readonly identities: readonly string[]
  /** The network namespaces of the client and of the endpoint, where they are on this node. */
  readonly ownerNamespace?: string | undefined
  readonly serverNamespace?: string | undefined
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
  /** Whether `peer` may see all connections. */
  readonly isAdmin: (peer: Peer) => boolean
  readonly policy: PolicySource
}

export class ConnectionMonitor implements MonitorServer {
  readonly #options: ConnectionMonitorOptions

  constructor(options: ConnectionMonitorOptions) {
    this.#options = options
  }

  monitor(selector: MonitorScopeSelector, { peer, signal }: Call): AsyncIterable<ConnectionEvent> {
    const { connections, isAdmin, policy } = this.#options
    const seesAll = isAdmin(peer)
    const mayWatch = (watched: WatchedConnection) => {
      const { networkService: service, endpointName: endpoint, labels } = watched.connection
      const isAllowedByDefault = seesAll || isOwn(watched, peer)
      const question = {
        action: 'watch',
        caller: peer.spiffeId,
        service,
        endpoint,
        labels,
        isAllowedByDefault,
      } as const
      return policy.current().decide(question).isAllowed
    }
    const isShown = (watched: WatchedConnection) => isSelected(selector, watched.connection) && mayWatch(watched)
    return eventsOf(connections, isShown, signal)
  }
}

/** Of workloads with one SPIFFE ID, each sees what begins or ends in its own network namespace. */
function isOwn({ identities, ownerNamespace, serverNamespace }: WatchedConnection, peer: Peer): boolean {
  if (!identities.includes(peer.spiffeId)) return false
  const { attestation } = peer
  return attestation === undefined || [ownerNamespace, serverNamespace].includes(attestation.namespace)
}

/** INVARIANT: the first event is the initial state, even if it is empty, because callers wait for it. */
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

/** A change of a connection never waits for watchers: the stream of a watcher that does not read is ended. */
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
    new NsmError('resource_exhausted', 'Cannot continue monitoring: too many changes were left unread', {
      fields: { max: MAX_UNREAD },
      next: 'start a new monitor stream, which begins with the current state',
    }),
  )
}

function eventOf(type: ConnectionEventType, watched: readonly WatchedConnection[]): ConnectionEvent {
  return { type, connections: new Map(watched.map(({ connection }) => [connection.id, connection])) }
}
