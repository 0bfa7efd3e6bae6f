/**
 * Keeps the states of this node's connections true, and ends those that must not stand:
 *
 *     dataplane  what it has seen of each wire   --> state UP, DOWN (seen-wires.ts)
 *     registry   an endpoint of ours is gone     --> state DOWN
 *     holder     nobody is left in a pod          --> end
 *     next hops  what they say of their ends     --> state UP, DOWN, REFRESH_REQUESTED
 *     authority  whom the domain no longer trusts --> end
 *     policy     what its rules no longer allow   --> end
 */
import { type Clock, type Logger, Scope } from '../../base/index.ts'
import { type ConnectionRecord, type ConnectionTable, FAR_END_DOWN, type Served } from '../../connections/index.ts'
import type { DataplaneEvent } from '../../dataplane/index.ts'
import type { PolicySource } from '../../policy/index.ts'
import type { NextHops } from '../next-hops.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { endUntrusted } from './end-untrusted.ts'
import { FarEnds } from './far-ends.ts'
import { endGone } from './gone-pods.ts'
import { SeenWires, type SeenWiresOptions } from './seen-wires.ts'

export interface SupervisionOptions {
  readonly domain: string
  readonly table: ConnectionTable
  readonly dataplane: SeenWiresOptions['dataplane']
  /** The wires as they are wanted. */
  readonly wires: SeenWiresOptions['wires']
  readonly trust: Pick<NodeTrust, 'bundles' | 'exports' | 'exportConditions' | 'isRevoked' | 'subscribe'>
  readonly policy: PolicySource
  /** The endpoints of this node. */
  readonly local: (endpoint: string) => Served | undefined
  /** Calls back when an endpoint of this node is no longer registered, and when it is again. */
  readonly endpoints: { subscribe(listener: (name: string, isThere: boolean) => void): () => void }
  readonly nextHops: Pick<NextHops, 'monitor'>
  /** Whether the first process of a pod is still to come in this network namespace. */
  readonly isStarting?: (namespace: string) => boolean
  /** Ends a connection, whoever opened it. Does not reject. */
  readonly end: (id: string, reason: string, isStill?: (record: ConnectionRecord) => boolean) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export interface Supervision {
  readonly seen: SeenWires
  close(): Promise<void>
}

export function superviseConnections(options: SupervisionOptions): Supervision {
  const { table, dataplane, endpoints, trust, policy } = options
  const scope = new Scope()
  const seen = scope.own(new SeenWires(options))
  scope.defer(followFarEnds(options))
  scope.defer(dataplane.subscribe((event) => onEvent(options, event)))
  scope.defer(
    endpoints.subscribe((name, isThere) => {
      for (const { id, target } of [...table.all()]) {
        if (target.at !== 'endpoint' || target.endpoint !== name) continue
        table.setFault(id, 'endpoint', isThere ? undefined : 'its endpoint is no longer registered')
      }
    }),
  )
  scope.defer(trust.subscribe(() => endUntrusted(options)))
  scope.defer(policy.subscribe(() => endUntrusted(options)))
  endUntrusted(options)
  return { seen, close: () => scope.close() }
}

/** One stream for each next hop, as long as a connection leads there. */
function followFarEnds({ table, nextHops, clock, logger }: SupervisionOptions): () => Promise<void> {
  const farEnds = new FarEnds({
    connect: async (target) => nextHops.monitor(target),
    onState: (id, state) => {
      table.setFault(id, 'far end', state === 'DOWN' ? FAR_END_DOWN : undefined)
      if (state === 'REFRESH_REQUESTED') table.requestRefresh(id)
    },
    clock,
    logger,
  })
  for (const { id, target } of table.all()) farEnds.follow(id, target)
  const unsubscribe = table.subscribe(({ type, record: { id, target } }) => {
    if (type === 'UPDATE') farEnds.follow(id, target)
    else farEnds.unfollow(id)
  })
  return async () => {
    unsubscribe()
    await farEnds.close()
  }
}

function onEvent(options: SupervisionOptions, event: DataplaneEvent): void {
  const { logger, isStarting = () => false } = options
  if (event.at === 'namespace-empty' && !isStarting(event.namespace)) endGone(options, event.namespace)
  if (event.at === 'engine-died') logger.warn('The engine died: the holder starts it again', { reason: event.reason })
  if (event.at === 'engine-started') logger.info('The engine runs again', { restarts: event.restarts })
  if (event.at === 'disconnected') logger.warn('Lost nsm-dataplane: wires go on, changes wait')
  if (event.at === 'session-down') {
    logger.warn('No packet of a wire comes through and back', { port: event.port, reason: event.reason })
  }
  if (event.at === 'link-quality-down') {
    logger.warn('Nothing comes through to a node', { ...event.peer, reason: event.reason })
  }
  if (event.at === 'link-quality-up') logger.info('Packets come through to a node again', { ...event.peer })
  if (event.at === 'path-mtu-changed') {
    logger.info('Packets of another length come through to a node', { ...event.peer, mtuBytes: event.mtuBytes })
  }
}
