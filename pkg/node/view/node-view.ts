/** What there is to know about a node and its wires, gathered for whoever shows it. */
import { type Clock, type Faults, VERSION } from '../../base/index.ts'
import type { ConnectionRecord, ConnectionTable, WantedWire } from '../../connections/index.ts'
import type { Dataplane, DataplaneStatus } from '../../dataplane/index.ts'
import { type IdentitySource, lifeMsOf } from '../../identity/index.ts'
import type { WireIntent } from '../../mechanism/index.ts'
import type { OwnerStatus } from '../../reconcile/index.ts'
import type { Seen } from '../supervision/seen-wires.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { type Condition, conditionsOf } from './conditions.ts'
import { isNamed, viewWanted, viewWire, type WireState, type WireView, wireState } from './wire-view.ts'

export interface NodeStatus {
  readonly name: string
  readonly domain: string
  readonly spiffeId: string
  readonly version: string
  readonly startedMs: number
  readonly identityExpiresMs: number
  /** Undefined while it does not answer. */
  readonly dataplane: DataplaneStatus | undefined
  readonly conditions: readonly Condition[]
  readonly wiresUp: number
  readonly wiresConnecting: number
  readonly wiresUnconfirmed: number
  readonly wiresDown: number
  readonly wiresPending: number
  /** Where it is called. */
  readonly listen: readonly string[]
}

export interface NodeViewOptions {
  readonly self: { readonly name: string; readonly domain: string }
  readonly identity: IdentitySource
  readonly trust: NodeTrust
  readonly policy: { readonly problem: string | undefined }
  readonly table: ConnectionTable
  /** The wires as they are wanted, and what became of them. */
  readonly wires: {
    intent(id: string): WireIntent | undefined
    status(id: string): OwnerStatus | undefined
  }
  readonly seen: { of(id: string): Seen }
  /** What clients have asked for in vain. */
  readonly wanted: { all(): readonly WantedWire[] }
  readonly dataplane: Dataplane
  readonly listen: readonly string[]
  readonly clock: Clock
  /** Where state is kept. */
  readonly databases: readonly { readonly problem: string }[]
  readonly faults: Faults | undefined
}

export class NodeView {
  readonly #options: NodeViewOptions
  readonly #startedMs: number

  constructor(options: NodeViewOptions) {
    this.#options = options
    this.#startedMs = options.clock.nowMs()
  }

  async status(signal: AbortSignal): Promise<NodeStatus> {
    const { self, identity, trust, policy, table, wires, seen, wanted, clock } = this.#options
    const { listen, databases, faults } = this.#options
    const { svid } = identity.current()
    const dataplane = await this.#options.dataplane.status(signal).catch((error: unknown) => ({ error }))
    const states = [...table.all()].map((record) => ({
      id: record.id,
      state: wireState({ record, status: wires.status(record.id), seen: seen.of(record.id) }),
    }))
    const inState = (wanted: WireState) => states.filter(({ state }) => state === wanted).map(({ id }) => id)
    const broken = inState('down')
    const pending = wanted.all().map(({ id }) => id)
    const lifetime = { identityLeftMs: svid.expiresMs - clock.nowMs(), identityLifeMs: lifeMsOf(svid) }
    return {
      ...self,
      spiffeId: svid.spiffeId,
      version: VERSION,
      startedMs: this.#startedMs,
      identityExpiresMs: svid.expiresMs,
      dataplane: 'error' in dataplane ? undefined : dataplane,
      conditions: conditionsOf({
        dataplane,
        registryProblem: trust.problem,
        registryDiskProblem: trust.registryDiskProblem,
        namesake: trust.namesake,
        aheadMs: trust.aheadMs,
        diskProblem: databases.map(({ problem }) => problem).find((problem) => problem !== '') ?? trust.diskProblem,
        faults: faults?.problem ?? '',
        policyProblem: policy.problem,
        ...lifetime,
        broken,
        pending,
      }),
      wiresUp: inState('up').length,
      wiresConnecting: inState('connecting').length,
      wiresUnconfirmed: inState('unconfirmed').length,
      wiresDown: broken.length,
      wiresPending: pending.length,
      listen,
    }
  }

  /** Without the dataplane there are no counters and no sessions, but still the wires. @param id empty for all */
  async wires(id: string, signal: AbortSignal): Promise<readonly WireView[]> {
    const { wires, seen, wanted, dataplane, self } = this.#options
    const none = () => new Map()
    const [ports, counters, linkQuality] = await Promise.all([
      dataplane.ports(signal).catch(none),
      dataplane.counters(signal).catch(none),
      dataplane.linkQuality(signal).catch(() => []),
    ])
    const standing = this.find(id).map((record) => {
      const own = { record, intent: wires.intent(record.id), status: wires.status(record.id), seen: seen.of(record.id) }
      return viewWire({ ...own, ports, counters, linkQuality, ownDomain: self.domain })
    })
    const pending = wanted.all().filter((each) => id === '' || each.id === id)
    return [...standing, ...pending.map(viewWanted)]
  }

  /** The connections with `id` anywhere on their path; all where it is empty. */
  find(id: string): readonly ConnectionRecord[] {
    return [...this.#options.table.all()].filter(({ connection }) => id === '' || isNamed(id, connection))
  }
}
