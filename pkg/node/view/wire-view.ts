/** A wire as people see it: what was agreed, what there is of it, and what is wrong with it. Pure. */
import {
  type Connection,
  type IntentEnd,
  parameter,
  trustDomainOf,
  type WireguardEnd,
  type WireIntent,
} from '../../api/index.ts'
import { describeError, splitName } from '../../base/index.ts'
import type { ConnectionRecord } from '../../connections/index.ts'
import { type Endpoint, type PathStatus, type PortStatus, portId } from '../../dataplane/index.ts'
import { formatSocketAddress } from '../../net/index.ts'
import type { OwnerStatus } from '../../reconcile/index.ts'

export interface WireFacts {
  readonly record: ConnectionRecord
  readonly intent: WireIntent | undefined
  readonly status: OwnerStatus | undefined
  /** Of all wires, by id. */
  readonly ports: ReadonlyMap<string, PortStatus>
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, bigint>>
  readonly paths: readonly PathStatus[]
  readonly ownDomain: string
}

export type WireState = 'up' | 'down' | 'settling'

export interface WireView {
  readonly id: string
  readonly networkService: string
  readonly endpoint: string
  readonly clientIdentity: string
  readonly client: EndView | undefined
  readonly server: EndView | undefined
  readonly state: WireState
  /** Why it is not up: the first step that is broken. */
  readonly problem: string
  readonly mtuBytes: number
  readonly clientAddresses: readonly string[]
  readonly endpointAddresses: readonly string[]
  /** Names of the applications on the path, the client first. */
  readonly path: readonly string[]
  readonly expiresMs: number
  /** By name, with the end in front: `client_rx_packets`. */
  readonly counters: ReadonlyMap<string, bigint>
  /** Where the endpoint is, or the client; empty when both are in our own domain. */
  readonly remoteDomain: string
  readonly payload: string
}

/** One end of a wire as this node sees it. */
export interface EndView {
  /** NSM's name: KERNEL, WIREGUARD, VXLAN. */
  readonly mechanism: string
  /** Empty where the end is no interface. */
  readonly interface: string
  readonly namespace: string
  /** The other node; undefined where the end is an interface. */
  readonly peer: Endpoint | undefined
  /** Empty where nothing is encrypted. */
  readonly aead: string
  readonly session: string
  readonly handshakeAgeMs: number | undefined
  /** What the probes to the other node say, where both nodes send them. */
  readonly path: PathStatus | undefined
}

export function wireState(facts: Pick<WireFacts, 'record' | 'status' | 'intent' | 'paths'>): WireState {
  const { record, status } = facts
  if (status?.at === 'settling') return 'settling'
  if (deadPath(facts) !== undefined) return 'down'
  return status?.at === 'settled' && record.connection.state === 'UP' ? 'up' : 'down'
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
    client: viewEnd(facts, intent?.client, portId(record.id, 'client')),
    server: viewEnd(facts, intent?.server, portId(record.id, 'server')),
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
  }
}

/** Whether `id` names this wire: its id here, or that of any application on its path. */
export function isNamed(id: string, { path }: Connection): boolean {
  return path.segments.some((segment) => segment.id === id)
}

const NO_END: EndView = {
  mechanism: '',
  interface: '',
  namespace: '',
  peer: undefined,
  aead: '',
  session: '',
  handshakeAgeMs: undefined,
  path: undefined,
}

function viewEnd(facts: WireFacts, end: IntentEnd | undefined, port: string): EndView | undefined {
  if (end === undefined) return undefined
  if (end.kind === 'local')
    return { ...NO_END, mechanism: 'KERNEL', interface: end.interfaceName, namespace: end.namespace }
  if (end.kind === 'vxlan') return { ...NO_END, mechanism: 'VXLAN', peer: end.peer }
  const status = facts.ports.get(port)
  const { session, handshakeAgeMs } = status?.kind === 'wireguard' ? status : NO_END
  const { peer, aead } = end
  return { ...NO_END, mechanism: 'WIREGUARD', peer, aead, session, handshakeAgeMs, path: pathOf(facts.paths, end) }
}

function pathOf(paths: readonly PathStatus[], end: IntentEnd | undefined): PathStatus | undefined {
  if (end?.kind !== 'wireguard' || !end.pathMessages) return undefined
  return paths.find(({ peer }) => isSame(peer, end))
}

function isSame(peer: Endpoint, end: WireguardEnd): boolean {
  return peer.ip === end.peer.ip && peer.port === end.peer.port
}

function deadPath({ intent, paths }: Pick<WireFacts, 'intent' | 'paths'>): PathStatus | undefined {
  const ends = [pathOf(paths, intent?.client), pathOf(paths, intent?.server)]
  return ends.find((path) => path?.state === 'down')
}

/** The first broken step, in the order in which they are made. */
function problemOf(facts: WireFacts): string {
  const { record, intent, status } = facts
  if (intent === undefined || status === undefined) return 'the wire is not there'
  if (status.at === 'failed') return describeError(status.error)
  const dead = deadPath(facts)
  if (dead !== undefined) return `no packet comes through to ${formatSocketAddress(dead.peer)} and back`
  if (record.connection.state === 'UP') return ''
  const far = record.connection.mechanism?.parameters[parameter.srcIp] ?? ''
  return far === '' ? 'the far end says that it is down' : `the session with ${far} is down`
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
