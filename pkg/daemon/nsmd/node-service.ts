/** nsmesh.node.v1: what this node does, for its operators. */

import { type Call, type nodeV1, type Peer, timeToProto } from '../../api/index.ts'
import { type Clock, NsmError, VERSION } from '../../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../../connections/index.ts'
import type { Dataplane, DataplaneStatus } from '../../dataplane/index.ts'
import type { Forwarder } from '../../forwarding/index.ts'
import type { IdentitySource } from '../../identity/index.ts'
import type { NodeNetworkService, Self } from '../../request/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import { conditionsOf } from './conditions.ts'
import type { NodeTrust } from './node-trust.ts'
import { isNamed, viewWire, wireState } from './wire-view.ts'

export interface NodeServiceOptions {
  readonly self: Self
  readonly identity: IdentitySource
  readonly trust: NodeTrust
  readonly table: ConnectionTable
  readonly forwarder: Forwarder
  readonly dataplane: Dataplane
  readonly service: NodeNetworkService
  readonly isAdmin: (peer: Peer) => boolean
  /** Where it listens. */
  readonly listen: readonly string[]
  readonly startedMs: number
  readonly clock: Clock
}

export function nodeHandlers(options: NodeServiceOptions): Handlers<typeof nodeV1.NodeService> {
  return {
    getStatus: (_, call) => {
      checkAdmin(options, call)
      return getStatus(options, call.signal)
    },
    listWires: (request, call) => {
      checkAdmin(options, call)
      return listWires(options, request.id, call.signal)
    },
    closeWire: async (request, call) => {
      checkAdmin(options, call)
      const [record] = select(options, request.id)
      if (request.id === '' || record === undefined) {
        throw new NsmError('not_found', 'Cannot close the wire: there is none of this id', {
          fields: { id: request.id },
          next: 'list them with: nsmctl get wires',
        })
      }
      await options.service.end(record.id, 'closed by an operator')
      return {}
    },
  }
}

function checkAdmin({ isAdmin }: NodeServiceOptions, { peer }: Call): void {
  if (isAdmin(peer)) return
  throw new NsmError('permission_denied', 'Cannot show the node: no sufficient privileges', {
    fields: { caller: peer.spiffeId },
    next: 'ask as root on the node itself',
  })
}

async function getStatus(options: NodeServiceOptions, signal: AbortSignal): Promise<nodeV1.NodeStatus> {
  const { self, identity, trust, forwarder, clock, startedMs, listen } = options
  const { svid } = identity.current()
  const dataplane = await options.dataplane.status(signal).catch((error: unknown) => ({ error }))
  const paths = await options.dataplane.paths(signal).catch(() => [])
  const states = [...options.table.all()].map((record) => ({
    id: record.id,
    state: wireState({ record, intent: forwarder.intent(record.id), status: forwarder.status(record.id), paths }),
  }))
  const broken = states.filter(({ state }) => state === 'down').map(({ id }) => id)
  const identityLeftMs = svid.expiresMs - clock.nowMs()
  return {
    name: self.name,
    domain: self.domain,
    spiffeId: svid.spiffeId,
    version: VERSION,
    started: timeToProto(startedMs),
    identityExpires: timeToProto(svid.expiresMs),
    dataplane: 'error' in dataplane ? undefined : toWire(dataplane),
    conditions: conditionsOf({ dataplane, registryProblem: trust.problem, identityLeftMs, broken }),
    wiresUp: states.filter(({ state }) => state === 'up').length,
    wiresDown: broken.length,
    listen: [...listen],
  }
}

/** Without the dataplane there are no counters and sessions, but still the wires. */
async function listWires(
  options: NodeServiceOptions,
  id: string,
  signal: AbortSignal,
): Promise<nodeV1.ListWiresResponse> {
  const { forwarder, dataplane, self } = options
  const none = () => new Map()
  const [ports, counters, paths] = await Promise.all([
    dataplane.ports(signal).catch(none),
    dataplane.counters(signal).catch(none),
    dataplane.paths(signal).catch(() => []),
  ])
  const wires = select(options, id).map((record) =>
    viewWire({
      record,
      intent: forwarder.intent(record.id),
      status: forwarder.status(record.id),
      ports,
      counters,
      paths,
      ownDomain: self.domain,
    }),
  )
  return { wires }
}

function select({ table }: NodeServiceOptions, id: string): readonly ConnectionRecord[] {
  return [...table.all()].filter(({ connection }) => id === '' || isNamed(id, connection))
}

function toWire({ version, enginePid, engineRestarts, features }: DataplaneStatus): nodeV1.DataplaneStatus {
  return { version, enginePid, engineRestarts, features: new Map(features) }
}
