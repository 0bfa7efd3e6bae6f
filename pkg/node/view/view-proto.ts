/** What people see of a node, at the protobuf border. */
import { nodeV1, timeToProto } from '../../api/index.ts'
import { formatSocketAddress } from '../../net/index.ts'
import type { NodeStatus } from './node-view.ts'
import type { EndView, WireView } from './wire-view.ts'

export function statusToProto(status: NodeStatus): nodeV1.NodeStatus {
  const { startedMs, identityExpiresMs, dataplane, conditions, listen, ...plain } = status
  return {
    ...plain,
    started: timeToProto(startedMs),
    identityExpires: timeToProto(identityExpiresMs),
    dataplane: dataplane && { ...dataplane, features: new Map(dataplane.features) },
    conditions: [...conditions],
    listen: [...listen],
  }
}

export function wireToProto({ expiresMs, ...view }: WireView): nodeV1.Wire {
  return {
    ...view,
    client: endToProto(view.client),
    server: endToProto(view.server),
    clientAddresses: [...view.clientAddresses],
    endpointAddresses: [...view.endpointAddresses],
    path: [...view.path],
    expires: timeToProto(expiresMs),
    counters: new Map(view.counters),
  }
}

function endToProto(end: EndView | undefined): nodeV1.WireEnd {
  const empty = nodeV1.WireEnd.fromPartial({})
  if (end === undefined) return empty
  const { peer, handshakeAgeMs, path, ...plain } = end
  return {
    ...empty,
    ...plain,
    peer: peer === undefined ? '' : formatSocketAddress(peer),
    ...(handshakeAgeMs === undefined ? {} : { handshakeAgeMs: BigInt(Math.round(handshakeAgeMs)) }),
    path: path && pathToProto(path),
  }
}

function pathToProto(path: NonNullable<EndView['path']>): nodeV1.PathHealth {
  const { state, rttUs, jitterUs, lossPpm, mtuBytes } = path
  return { state, rttUs, jitterUs, lossPpm, mtuBytes }
}
