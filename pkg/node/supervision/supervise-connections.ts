/**
 * Keeps the states of this node's connections true, and ends those that must not stand:
 *
 *     dataplane  a session came up or broke      --> state UP, DOWN
 *                nothing comes through to a node --> state DOWN of the wires that lead there
 *     registry   an endpoint of ours is gone     --> state DOWN
 *     holder     nobody is left in a pod          --> end
 *     next hops  what they say of their ends     --> state UP, DOWN
 *     authority  whom the domain no longer trusts --> end
 *     policy     what its rules no longer allow   --> end
 */
import { type Clock, type Logger, Scope } from '../../base/index.ts'
import type { ConnectionRecord, ConnectionTable, Served } from '../../connections/index.ts'
import { connectionOfPort, type Dataplane, type DataplaneEvent } from '../../dataplane/index.ts'
import type { WireIntent } from '../../mechanism/index.ts'
import type { PolicySource } from '../../policy/index.ts'
import type { NextHops } from '../next-hops.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { BrokenLinks } from './broken-links.ts'
import { endUntrusted } from './end-untrusted.ts'
import { FarEnds } from './far-ends.ts'
import { Faults } from './faults.ts'
import { endGone } from './gone-pods.ts'

export interface SupervisionOptions {
  readonly domain: string
  readonly table: ConnectionTable
  readonly dataplane: Pick<Dataplane, 'subscribe'>
  readonly trust: Pick<NodeTrust, 'bundles' | 'exports' | 'exportConditions' | 'isRevoked' | 'subscribe'>
  readonly policy: PolicySource
  /** The endpoints of this node. */
  readonly local: (endpoint: string) => Served | undefined
  /** Calls back when an endpoint of this node is no longer registered, and when it is again. */
  readonly endpoints: { subscribe(listener: (name: string, isThere: boolean) => void): () => void }
  /** The wires as they are wanted. */
  readonly wires: { intents(): readonly WireIntent[] }
  readonly nextHops: Pick<NextHops, 'monitor'>
  /** Ends a connection, whoever opened it. Does not reject. */
  readonly end: (id: string, reason: string, isStill?: (record: ConnectionRecord) => boolean) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export function superviseConnections(options: SupervisionOptions): { close(): Promise<void> } {
  const { table, dataplane, endpoints, trust, policy, clock } = options
  const scope = new Scope()
  const faults = scope.own(new Faults(table))
  const links = scope.own(new BrokenLinks({ ...options, faults, clock }))
  scope.defer(followFarEnds(options, faults))
  scope.defer(dataplane.subscribe((event) => onEvent({ ...options, faults, links }, event)))
  scope.defer(
    endpoints.subscribe((name, isThere) => {
      for (const { id, target } of [...table.all()]) {
        if (target.at === 'endpoint' && target.endpoint === name) faults.set(id, 'endpoint', !isThere)
      }
    }),
  )
  scope.defer(trust.subscribe(() => endUntrusted(options)))
  scope.defer(policy.subscribe(() => endUntrusted(options)))
  endUntrusted(options)
  return { close: () => scope.close() }
}

/** One stream for each next hop, as long as a connection leads there. */
function followFarEnds({ table, nextHops, clock, logger }: SupervisionOptions, faults: Faults): () => Promise<void> {
  const farEnds = new FarEnds({
    connect: async (target) => nextHops.monitor(target),
    onState: (id, state) => faults.set(id, 'far-end', state === 'DOWN'),
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

type Supervised = SupervisionOptions & { readonly faults: Faults; readonly links: BrokenLinks }

function onEvent(supervised: Supervised, event: DataplaneEvent): void {
  const { logger, faults, links } = supervised
  if (event.at === 'namespace-empty') endGone(supervised, event.namespace)
  if (event.at === 'engine-died') logger.warn('The engine died: the holder starts it again', { reason: event.reason })
  if (event.at === 'engine-started') {
    logger.info('The engine runs again', { restarts: event.restarts })
    links.reset()
  }
  if (event.at === 'disconnected') logger.warn('Lost nsm-dataplane: wires go on, changes wait')
  if (event.at === 'link-quality-down') {
    logger.warn('Nothing comes through to a node', { ...event.peer, reason: event.reason })
    links.down(event.peer)
  }
  if (event.at === 'link-quality-up') {
    logger.info('Packets come through to a node again', { ...event.peer })
    links.up(event.peer)
  }
  if (event.at === 'path-mtu-changed') {
    logger.info('Packets of another length come through to a node', { ...event.peer, mtuBytes: event.mtuBytes })
  }
  if (event.at !== 'session-up' && event.at !== 'session-down') return
  faults.set(connectionOfPort(event.port), 'session', event.at === 'session-down')
}
