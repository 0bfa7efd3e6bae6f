/** A wire as people see it: what was agreed, what there is of it, and what is wrong with it. Pure. */

import {
  type Connection,
  type IntentEnd,
  nodeV1,
  parameter,
  timeToProto,
  trustDomainOf,
  type WireguardEnd,
  type WireIntent,
} from '../../api/index.ts'
import { describeError, splitName } from '../../base/index.ts'
import type { ConnectionRecord } from '../../connections/index.ts'
import type { PathStatus, PortStatus } from '../../dataplane/index.ts'
import { portId } from '../../forwarding/index.ts'
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

export function wireState(facts: Pick<WireFacts, 'record' | 'status' | 'intent' | 'paths'>): WireState {
  const { record, status } = facts
  if (status?.at === 'settling') return 'settling'
  if (deadPath(facts) !== undefined) return 'down'
  return status?.at === 'settled' && record.connection.state === 'UP' ? 'up' : 'down'
}

export function viewWire(facts: WireFacts): nodeV1.Wire {
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
    clientAddresses: [...ip.srcIpAddrs],
    endpointAddresses: [...ip.dstIpAddrs],
    path: connection.path.segments.map(({ name }) => name),
    expires: timeToProto(expiresMs),
    counters: countersOf(facts),
    remoteDomain: remoteDomain(record, facts.ownDomain),
    payload: connection.payload,
  }
}

/** Whether `id` names this wire: its id here, or that of any application on its path. */
export function isNamed(id: string, { path }: Connection): boolean {
  return path.segments.some((segment) => segment.id === id)
}

function viewEnd(facts: WireFacts, end: IntentEnd | undefined, port: string): nodeV1.WireEnd {
  const empty = nodeV1.WireEnd.fromPartial({})
  if (end === undefined) return empty
  if (end.kind === 'local')
    return { ...empty, mechanism: 'KERNEL', interface: end.interfaceName, namespace: end.namespace }
  const peer = formatSocketAddress(end.peer)
  if (end.kind === 'vxlan') return { ...empty, mechanism: 'VXLAN', peer }
  const status = facts.ports.get(port)
  const { session, handshakeAgeMs } = status?.kind === 'wireguard' ? status : { session: '', handshakeAgeMs: undefined }
  const age = handshakeAgeMs === undefined ? {} : { handshakeAgeMs: BigInt(Math.round(handshakeAgeMs)) }
  return { ...empty, mechanism: 'WIREGUARD', peer, aead: end.aead, session, ...age, path: viewPath(facts, end) }
}

function viewPath({ paths }: WireFacts, end: WireguardEnd): nodeV1.PathHealth | undefined {
  const path = pathOf(paths, end)
  if (path === undefined) return undefined
  const { state, rttUs, jitterUs, lossPpm, mtuBytes } = path
  return { state, rttUs, jitterUs, lossPpm, mtuBytes }
}

function pathOf(paths: readonly PathStatus[], end: IntentEnd | undefined): PathStatus | undefined {
  if (end?.kind !== 'wireguard' || !end.pathMessages) return undefined
  return paths.find(({ peer }) => peer.ip === end.peer.ip && peer.port === end.peer.port)
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

function countersOf({ record, counters }: WireFacts): Map<string, bigint> {
  const sides = (['client', 'server'] as const).flatMap((side) =>
    [...(counters.get(portId(record.id, side)) ?? [])].map(([name, value]) => [`${side}_${name}`, value] as const),
  )
  return new Map(sides)
}

/** Where the endpoint is, or where the client asks from, when that is not our own domain. */
function remoteDomain({ connection, owner }: ConnectionRecord, ownDomain: string): string {
  const { domain } = splitName(connection.networkService)
  const callers = trustDomainOf(owner)
  return domain !== '' ? domain : callers === ownDomain ? '' : callers
}
