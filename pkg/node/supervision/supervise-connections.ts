/**
 * Keeps the states of this node's connections true, and ends those that must not stand:
 *
 *     dataplane  a session came up or broke      --> state UP, DOWN
 *     next hops  what they say of their ends     --> state UP, DOWN
 *     authority  whom the domain no longer trusts --> end
 *     policy     what its rules no longer allow   --> end
 */
import { type Clock, type Logger, Scope } from '../../base/index.ts'
import type { ConnectionTable, Served } from '../../connections/index.ts'
import { connectionOfPort, type Dataplane, type DataplaneEvent } from '../../dataplane/index.ts'
import type { PolicySource } from '../../policy/index.ts'
import type { NextHops } from '../next-hops.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { endUntrusted } from './end-untrusted.ts'
import { FarEnds } from './far-ends.ts'

export interface SupervisionOptions {
  readonly domain: string
  readonly table: ConnectionTable
  readonly dataplane: Pick<Dataplane, 'subscribe'>
  readonly trust: Pick<NodeTrust, 'bundles' | 'exports' | 'exportConditions' | 'isRevoked' | 'subscribe'>
  readonly policy: PolicySource
  /** The endpoints of this node. */
  readonly local: (endpoint: string) => Served | undefined
  readonly nextHops: Pick<NextHops, 'monitor'>
  /** Ends a connection, whoever opened it. Does not reject. */
  readonly end: (id: string, reason: string) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export function superviseConnections(options: SupervisionOptions): { close(): Promise<void> } {
  const { dataplane, trust, policy } = options
  const scope = new Scope()
  scope.defer(followFarEnds(options))
  scope.defer(dataplane.subscribe((event) => onEvent(options, event)))
  scope.defer(trust.subscribe(() => endUntrusted(options)))
  scope.defer(policy.subscribe(() => endUntrusted(options)))
  endUntrusted(options)
  return { close: () => scope.close() }
}

/** One stream for each next hop, as long as a connection leads there. */
function followFarEnds({ table, nextHops, clock, logger }: SupervisionOptions): () => Promise<void> {
  const farEnds = new FarEnds({
    connect: async (target) => nextHops.monitor(target),
    onState: (id, state) => table.setState(id, state === 'DOWN' ? 'DOWN' : 'UP'),
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

function onEvent({ table, logger }: SupervisionOptions, event: DataplaneEvent): void {
  if (event.at === 'engine-died') logger.warn('The engine died: the holder starts it again', { reason: event.reason })
  if (event.at === 'engine-started') logger.info('The engine runs again', { restarts: event.restarts })
  if (event.at === 'disconnected') logger.warn('Lost nsm-dataplane: wires go on, changes wait')
  if (event.at === 'link-quality-down') {
    logger.warn('Nothing comes through to a node', { ...event.peer, reason: event.reason })
  }
  if (event.at === 'link-quality-up') logger.info('Packets come through to a node again', { ...event.peer })
  if (event.at === 'path-mtu-changed') {
    logger.info('Packets of another length come through to a node', { ...event.peer, mtuBytes: event.mtuBytes })
  }
  if (event.at !== 'session-up' && event.at !== 'session-down') return
  table.setState(connectionOfPort(event.port), event.at === 'session-up' ? 'UP' : 'DOWN')
}
