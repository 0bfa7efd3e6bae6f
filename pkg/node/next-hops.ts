import { type MonitorClient, type NetworkServiceClient, trustDomainOf } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Target } from '../connections/index.ts'
import { isReachableUrl, type Reach } from '../net/index.ts'
import { isNode } from '../policy/index.ts'
import { type Callee, type Channels, monitorClient, networkServiceClient } from '../rpc/index.ts'

export interface NextHopOptions {
  readonly channels: Channels
  readonly domain: string
  /** Through which the holder reaches endpoints of this machine. */
  readonly dialSocket: string
  /** Which addresses of other nodes this one calls. */
  readonly reach: Reach
  /** The endpoints that this daemon answers for itself, under `pod://` URLs. */
  readonly own: OwnEndpoints
}

export interface OwnEndpoints {
  find(
    url: string,
    signal: AbortSignal,
  ): Promise<NextHop & { readonly monitor: MonitorClient; readonly namespace: string }>
}

export interface NextHop {
  readonly client: NetworkServiceClient
  /** Who answers there, as its certificate proves. */
  readonly spiffeId: string
  /** `inode://<dev>/<ino>` of a local endpoint, from the kernel; undefined for nodes. */
  readonly namespace: string | undefined
}

/** Of a workload that has its identity from this node's agent; others prove nothing about their uid by their name. */
function uidOf(spiffeId: string): number | undefined {
  const [, uid] = /^spiffe:\/\/[^/]+\/node\/[^/]+\/uid\/(\d{1,10})$/.exec(spiffeId) ?? []
  return uid === undefined ? undefined : Number(uid)
}

/** Connections to local endpoints and to other nodes: one for each, shared by all calls. */
export class NextHops {
  readonly #options: NextHopOptions

  constructor(options: NextHopOptions) {
    this.#options = options
  }

  async connect(target: Target, signal: AbortSignal): Promise<NextHop> {
    if (isOwn(target)) return await this.#own(target, signal)
    const callee = this.#calleeAt(target)
    const { spiffeId, attestation } = await callee.peer(signal)
    if (target.at === 'endpoint' && attestation === undefined) {
      throw new NsmError('failed_precondition', 'Cannot connect the endpoint: the kernel does not say where it is', {
        fields: { endpoint: target.endpoint },
      })
    }
    return { client: networkServiceClient(callee), spiffeId, namespace: attestation?.namespace }
  }

  /** What the target says about its connections, over the same connection. */
  monitor(target: Target): MonitorClient {
    const find = (signal: AbortSignal) => this.#own(target, signal)
    if (isOwn(target)) {
      return {
        async *monitor(selector, call) {
          const { monitor } = await find(call.signal)
          yield* monitor.monitor(selector, call)
        },
      }
    }
    return monitorClient(this.#calleeAt(target))
  }

  async #own({ url, ...target }: Target, signal: AbortSignal) {
    const endpoint = await this.#options.own.find(url, signal)
    if (target.at === 'endpoint' && endpoint.spiffeId === target.owner) return endpoint
    throw new NsmError('unauthenticated', 'Cannot accept the endpoint: it has another identity than expected', {
      fields: { spiffeId: endpoint.spiffeId },
    })
  }

  /** An endpoint must be the workload that registered it, a node one of the domain in which it was found. */
  #calleeAt(target: Target): Callee {
    const { channels, domain, dialSocket, reach } = this.#options
    if (target.at === 'endpoint') {
      const { url, owner } = target
      const via = { socket: dialSocket, uid: uidOf(owner) }
      const who = `endpoint ${target.endpoint}`
      return channels.to(url, { via, who, role: owner, expect: (spiffeId) => spiffeId === owner })
    }
    const theirs = target.domain === '' ? domain : target.domain
    const expect = (spiffeId: string) => trustDomainOf(spiffeId) === theirs && isNode(spiffeId, theirs)
    if (!isReachableUrl(target.url, reach)) throw isNoNode(target.url)
    return channels.to(target.url, { who: `the node of ${theirs}`, role: theirs, expect })
  }
}

function isOwn({ at, url }: Target): boolean {
  return at === 'endpoint' && url.startsWith('pod://')
}

/** The registry's word for it is not enough: it may be older than the rule, or wrong. */
function isNoNode(url: string): NsmError {
  return new NsmError('permission_denied', 'Cannot connect the node: no other machine can be called at its address', {
    fields: { url: url.slice(0, 64) },
    next: 'compare the address with: nsmctl get endpoints',
  })
}
