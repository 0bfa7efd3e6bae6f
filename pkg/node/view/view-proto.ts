/** What people see of a node, at the protobuf border. */
import { nodeV1, timeToProto } from '../../api/index.ts'
import type { LinkQuality } from '../../dataplane/index.ts'
import { formatSocketAddress } from '../../net/index.ts'
import type { NodeStatus } from './node-view.ts'
import type { Pending, WireEndView, WireView } from './wire-view.ts'

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

export function wireToProto({ expiresMs, pending, ...view }: WireView): nodeV1.Wire {
  return {
    ...view,
    client: endToProto(view.client),
    server: endToProto(view.server),
    clientAddresses: [...view.clientAddresses],
    endpointAddresses: [...view.endpointAddresses],
    path: [...view.path],
    expires: expiresMs === undefined ? undefined : timeToProto(expiresMs),
    pending: pending && pendingToProto(pending),
    counters: new Map(view.counters),
  }
}

function pendingToProto({ sinceMs, tries, triedMs, nextMs }: Pending): nodeV1.PendingWire {
  return {
    since: timeToProto(sinceMs),
    tries,
    lastTry: timeToProto(triedMs),
    nextTry: nextMs === undefined ? undefined : timeToProto(nextMs),
  }
}

function endToProto(end: WireEndView | undefined): nodeV1.WireEnd {
  const empty = nodeV1.WireEnd.fromPartial({})
  if (end === undefined) return empty
  const { peer, handshakeAgeMs, linkQuality, isProbed: _, verdict: __, reason: ___, ...plain } = end
  return {
    ...empty,
    ...plain,
    peer: peer === undefined ? '' : formatSocketAddress(peer),
    ...(handshakeAgeMs === undefined ? {} : { handshakeAgeMs: BigInt(Math.round(handshakeAgeMs)) }),
    path: linkQuality && linkQualityToProto(linkQuality),
  }
}

function linkQualityToProto({ state, rttUs, jitterUs, lossPpm, mtuBytes }: LinkQuality): nodeV1.PathHealth {
  return { state, rttUs, jitterUs, lossPpm, mtuBytes }
}
