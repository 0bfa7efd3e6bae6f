import { type MonitorClient, trustDomainOf } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import type { Target } from '../../connections/index.ts'
import { isNode } from '../../policy/index.ts'
import type { NextHops } from '../../request/index.ts'
import { type Channels, monitorClient, networkServiceClient } from '../../rpc/index.ts'

export interface NextHopOptions {
  readonly channels: Channels
  readonly domain: string
  /** Through which the holder reaches endpoints of this machine. */
  readonly dialSocket: string
}

/** The ways to local endpoints and to other nodes: one connection for each, whoever calls. */
export function nextHops(options: NextHopOptions): NextHops {
  return {
    async connect(target, signal) {
      const channel = channelTo(options, target)
      const { spiffeId, attestation } = await channel.peer(signal)
      if (target.at === 'endpoint' && attestation === undefined) {
        throw new NsmError('failed_precondition', 'Cannot join the endpoint: the kernel does not say where it is', {
          fields: { endpoint: target.endpoint },
        })
      }
      return { client: networkServiceClient(channel), spiffeId, namespace: attestation?.namespace }
    },
  }
}

/** What another node says about its connections, over the same connection. */
export function farMonitor(options: NextHopOptions, target: Extract<Target, { at: 'node' }>): MonitorClient {
  return monitorClient(channelTo(options, target))
}

/** An endpoint must be who registered it, a node a node of the domain that it was found in. */
function channelTo({ channels, domain, dialSocket }: NextHopOptions, target: Target) {
  if (target.at === 'endpoint') {
    const { url, owner } = target
    return channels.to(url, { via: dialSocket, role: owner, expect: (spiffeId) => spiffeId === owner })
  }
  const theirs = target.domain === '' ? domain : target.domain
  const expect = (spiffeId: string) => trustDomainOf(spiffeId) === theirs && isNode(spiffeId, theirs)
  return channels.to(target.url, { role: theirs, expect })
}
