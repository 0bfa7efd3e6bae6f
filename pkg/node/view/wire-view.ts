/** A wire as people see it: what was agreed, what there is of it, and what is wrong with it. Pure. */
import { type Connection, trustDomainOf } from '../../api/index.ts'
import { describeError, splitName } from '../../base/index.ts'
import { type ConnectionRecord, faultOf, type WantedWire } from '../../connections/index.ts'
import { type LinkQuality, portId } from '../../dataplane/index.ts'
import {
  EMPTY_VIEW,
  type End,
  type EndView,
  KERNEL,
  mechanismOf,
  type PortStatus,
  REMOTE,
  viewEnd,
  type WireIntent,
} from '../../mechanism/index.ts'
import type { OwnerStatus } from '../../reconcile/index.ts'
import type { Seen } from '../supervision/seen-wires.ts'

export interface WireFacts {
  readonly record: ConnectionRecord
  readonly intent: WireIntent | undefined
  readonly status: OwnerStatus | undefined
  readonly seen: Seen
  /** Of all wires, by id. */
  readonly ports: ReadonlyMap<string, PortStatus>
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, bigint>>
  readonly linkQuality: readonly LinkQuality[]
  readonly ownDomain: string
}

/** `unconfirmed`: nothing shows whether the far side gets our packets. */
export type WireState = Seen | 'down' | 'settling' | 'pending'

/** Of a wire that is wanted and not there. */
export interface Pending {
  readonly sinceMs: number
  readonly tries: number
  readonly triedMs: number
  /** When its client will ask again, as far as its pace tells. */
  readonly nextMs: number | undefined
}

export interface WireView {
  readonly id: string
  readonly networkService: string
  readonly endpoint: string
  readonly clientIdentity: string
  readonly client: WireEndView | undefined
  readonly server: WireEndView | undefined
  readonly state: WireState
  /** Why it is not up: the first step that is broken. */
  readonly problem: string
  readonly mtuBytes: number
  readonly clientAddresses: readonly string[]
  readonly endpointAddresses: readonly string[]
  /** Names of the applications on the path, the client first. */
  readonly path: readonly string[]
  /** Undefined for one that is pending. */
  readonly expiresMs: number | undefined
  /** By name, with the end in front: `client_rx_packets`. */
  readonly counters: ReadonlyMap<string, bigint>
  /** Where the endpoint is, or the client; empty when both are in our own domain. */
  readonly remoteDomain: string
  readonly payload: string
  readonly pending: Pending | undefined
}

/** One end of a wire as this node sees it. */
export interface WireEndView extends EndView {
  /** Of the link to the other node, where both nodes send probes. */
  readonly linkQuality: LinkQuality | undefined
}

export function wireState({ record, status, seen }: Pick<WireFacts, 'record' | 'status' | 'seen'>): WireState {
  if (status?.at === 'settling') return 'settling'
  return status?.at === 'settled' && record.connection.state === 'UP' ? seen : 'down'
}

export function viewWire(facts: WireFacts): WireView {
  const { record, intent } = facts
  const { connection, identities, expiresMs } = record
  const { ip, mtuBytes } = connection.context
  return {
    id: record.id,
    networkService: connection.networkService,
    endpoint: connection.endpointName,
    clientIdentity: identities[0] ?? '',
    client: viewWireEnd(facts, intent?.client, portId(record.id, 'client')),
    server: viewWireEnd(facts, intent?.server, portId(record.id, 'server')),
    state: wireState(facts),
    problem: problemOf(facts),
    mtuBytes,
    clientAddresses: ip.srcIpAddrs,
    endpointAddresses: ip.dstIpAddrs,
    path: connection.path.segments.map(({ name }) => name),
    expiresMs,
    counters: countersOf(facts),
    remoteDomain: remoteDomain(record, facts.ownDomain),
    payload: connection.payload,
    pending: undefined,
  }
}

/** A wire that a client has asked for in vain. */
export function viewWanted(wanted: WantedWire): WireView {
  const { id, client, clientIdentity, namespace, networkService, problem, ...pending } = wanted
  const { sinceMs, tries, triedMs, nextMs } = pending
  return {
    id,
    networkService,
    endpoint: '',
    clientIdentity,
    client: { ...EMPTY_VIEW, mechanism: KERNEL, namespace, linkQuality: undefined },
    server: undefined,
    state: 'pending',
    problem,
    mtuBytes: 0,
    clientAddresses: [],
    endpointAddresses: [],
    path: [client],
    expiresMs: undefined,
    counters: new Map(),
    remoteDomain: splitName(networkService).domain,
    payload: '',
    pending: { sinceMs, tries, triedMs, nextMs },
  }
}

/** Whether `id` names this wire: its id here, or that of any application on its path. */
export function isNamed(id: string, { path }: Connection): boolean {
  return path.segments.some((segment) => segment.id === id)
}

function viewWireEnd(facts: WireFacts, end: End | undefined, port: string): WireEndView | undefined {
  if (end === undefined) return undefined
  const view = viewEnd(end, facts.ports.get(port))
  return { ...view, linkQuality: qualityOf(facts.linkQuality, view) }
}

function qualityOf(links: readonly LinkQuality[], { peer, isProbed }: EndView): LinkQuality | undefined {
  return isProbed ? links.find((link) => link.peer.ip === peer?.ip && link.peer.port === peer.port) : undefined
}

/** The first broken step, in the order in which they are made. */
function problemOf(facts: WireFacts): string {
  const { record, intent, status, seen } = facts
  if (intent === undefined || status === undefined) return 'the wire is not there'
  if (status.at === 'failed') return describeError(status.error)
  return faultOf(record) ?? (seen === 'unconfirmed' ? arrivedOf(facts) : '')
}

/** All that a tunnel without sessions shows. */
function arrivedOf({ record, intent, counters }: WireFacts): string {
  const tunnels =
    intent === undefined ? [] : [intent.client, intent.server].filter((end) => mechanismOf(end).cls === REMOTE)
  const [arrived = 0n] = tunnels.flatMap(({ role }) => counters.get(portId(record.id, role))?.get('rx_packets') ?? [])
  return `its mechanism shows only what arrives: ${arrived} packets so far`
}

function countersOf({ record, counters }: WireFacts): ReadonlyMap<string, bigint> {
  const ends = (['client', 'server'] as const).flatMap((role) =>
    [...(counters.get(portId(record.id, role)) ?? [])].map(([name, value]) => [`${role}_${name}`, value] as const),
  )
  return new Map(ends)
}

function remoteDomain({ connection, owner }: ConnectionRecord, ownDomain: string): string {
  const { domain } = splitName(connection.networkService)
  const callers = trustDomainOf(owner)
  return domain !== '' ? domain : callers === ownDomain ? '' : callers
}
