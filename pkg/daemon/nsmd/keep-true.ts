/**
 * Keeps what the node says of its connections true: what the dataplane sees of sessions, what other nodes say of their
 * ends, and what must end because nobody trusts it any longer.
 */

import { trustDomainOf } from '../../api/index.ts'
import { type Clock, describeError, type Logger, NsmError, Scope } from '../../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../../connections/index.ts'
import type { Dataplane, DataplaneEvent } from '../../dataplane/index.ts'
import { FarEnds } from '../../monitor/index.ts'
import { mayRequest } from '../../policy/index.ts'
import type { NodeNetworkService } from '../../request/index.ts'
import { farMonitor, type NextHopOptions } from './next-hops.ts'
import type { NodeTrust } from './node-trust.ts'

export interface KeepTrueOptions {
  readonly table: ConnectionTable
  readonly service: NodeNetworkService
  readonly dataplane: Dataplane
  readonly trust: NodeTrust
  readonly hops: NextHopOptions
  readonly clock: Clock
  readonly logger: Logger
}

export function keepTrue(options: KeepTrueOptions): { close(): Promise<void> } {
  const { dataplane, trust } = options
  const scope = new Scope()
  scope.defer(followFarEnds(options))
  scope.defer(dataplane.subscribe((event) => onEvent(options, event)))
  scope.defer(trust.subscribe(() => endUntrusted(options)))
  endUntrusted(options)
  return { close: () => scope.close() }
}

/** One stream per node, for as long as a connection leads there. */
function followFarEnds({ table, hops, clock, logger }: KeepTrueOptions): () => Promise<void> {
  const connectionTo = (url: string) =>
    [...table.all()].find(({ target }) => target.at === 'node' && target.url === url)
  const farEnds = new FarEnds({
    connect: async (url) => {
      const target = connectionTo(url)?.target
      if (target?.at !== 'node') {
        throw new NsmError('not_found', 'Cannot monitor the node: no connection leads there any more', {
          fields: { url },
        })
      }
      return farMonitor(hops, target)
    },
    onState: (id, state) => table.setState(id, state === 'DOWN' ? 'DOWN' : 'UP'),
    clock,
    logger,
  })
  const follow = ({ id, target }: ConnectionRecord) => {
    if (target.at === 'node') farEnds.follow(id, target.url)
  }
  for (const record of table.all()) follow(record)
  const unsubscribe = table.subscribe(({ type, record }) => {
    if (type === 'UPDATE') follow(record)
    else if (record.target.at === 'node') farEnds.unfollow(record.id, record.target.url)
  })
  return async () => {
    unsubscribe()
    await farEnds.close()
  }
}

function onEvent({ table, logger }: KeepTrueOptions, event: DataplaneEvent): void {
  if (event.at === 'engine-died') logger.warn('The engine died: the holder starts it again', { reason: event.reason })
  if (event.at === 'engine-started') logger.info('The engine runs again', { restarts: event.restarts })
  if (event.at === 'disconnected') logger.warn('Lost nsm-dataplane: wires go on, changes wait')
  if (event.at === 'path-down') logger.warn('The path to a node is down', { ...event.peer, reason: event.reason })
  if (event.at === 'path-up') logger.info('The path to a node is up', { ...event.peer })
  if (event.at === 'path-mtu-changed') {
    logger.info('The path to a node passes packets of another length', { ...event.peer, mtuBytes: event.mtuBytes })
  }
  if (event.at !== 'session-up' && event.at !== 'session-down') return
  const id = event.port.replace(/:[cs]$/, '')
  table.setState(id, event.at === 'session-up' ? 'UP' : 'DOWN')
}

/** Wires of domains, services and nodes that are trusted no more end at once. */
function endUntrusted(options: KeepTrueOptions): void {
  for (const record of options.table.all()) {
    const reason = whyUntrusted(record, options)
    if (reason === undefined) continue
    options.service.end(record.id, reason).catch((error: unknown) => {
      options.logger.error('Cannot end a connection', { connection: record.id, error: describeError(error) })
    })
  }
}

function whyUntrusted(record: ConnectionRecord, { trust, hops }: KeepTrueOptions): string | undefined {
  const bundles = trust.bundles()
  if (bundles.size === 0) return undefined // nobody has told us yet
  const stranger = record.identities.find((spiffeId) => !bundles.has(trustDomainOf(spiffeId)))
  if (stranger !== undefined) return `the domain of ${stranger} is not trusted`
  const expelled = record.identities.find((spiffeId) => trust.isRevoked(spiffeId))
  if (expelled !== undefined) return `${expelled} was expelled`
  const access = { callerDomain: trustDomainOf(record.owner), ownDomain: hops.domain, exports: trust.exports() }
  const service = record.connection.networkService
  return mayRequest({ ...access, service }) ? undefined : `${service} is no longer exported to ${access.callerDomain}`
}
