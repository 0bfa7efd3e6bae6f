/**
 * From an intent to the objects that it takes. Pure: the same intent gives the same objects, after every restart.
 *
 *     client       server
 *     workload     workload     one veth pair, straight between the two namespaces
 *     workload     node         TUN or TAP <id>:c, tunnel port <id>:s, cross-connect <id>
 *     node         workload     tunnel port <id>:c, TUN or TAP <id>:s, cross-connect <id>
 *     node         node         two tunnel ports, cross-connect <id> (transit)
 */
import { PAYLOAD_IP } from '../api/index.ts'
import { portId } from '../dataplane/index.ts'
import {
  type PortSpec,
  planPort,
  portKindOf,
  type Role,
  type WireIntent,
  type WorkloadInterface,
  workloadOf,
} from '../mechanism/index.ts'
import type { LinkSpec } from '../platform/index.ts'
import { type Desired, want } from '../reconcile/index.ts'
import type { WireKinds } from './kinds/index.ts'
import { linkAlias, type WireLink } from './kinds/link-kind.ts'
import { hasIpv6PolicyByPort, planLayer3 } from './plan-layer3.ts'

/** Numbers of the routing tables of each end's policies, in their order. */
export type WireTables = Readonly<Record<Role, readonly number[]>>

/** @throws {NsmError} `invalid_argument` for an address, route or policy that the kernel would not take */
export function planWire(kinds: WireKinds, intent: WireIntent, tables: WireTables): readonly Desired[] {
  const [client, server] = [workloadOf(intent.client), workloadOf(intent.server)]
  if (client !== undefined && server !== undefined) {
    const ends = [vethSpec(intent, client), vethSpec(intent, server)] as const
    const origin = { kind: 'veth', ends } as const
    return [
      ...planWorkload(kinds, intent, { role: 'client', workload: client, far: server, origin, tables }),
      ...planWorkload(kinds, intent, { role: 'server', workload: server, far: client, origin, tables }),
    ]
  }
  const ports = [portId(intent.id, 'client'), portId(intent.id, 'server')] as const
  return [
    ...planEnd(kinds, intent, { role: 'client', workload: client, tables }),
    ...planEnd(kinds, intent, { role: 'server', workload: server, tables }),
    want(kinds.crossConnect, { id: intent.id, ports }),
  ]
}

interface PlannedEnd {
  readonly role: Role
  /** Undefined where the end leads to another node. */
  readonly workload: WorkloadInterface | undefined
  readonly tables: WireTables
}

function planEnd(kinds: WireKinds, intent: WireIntent, end: PlannedEnd): readonly Desired[] {
  const port = portOf(intent, end.role)
  const { workload } = end
  if (workload === undefined) return [want(kinds.port, port)]
  const origin = { kind: 'device', port } as const
  return [want(kinds.port, port), ...planWorkload(kinds, intent, { ...end, workload, far: undefined, origin })]
}

interface PlannedWorkload extends PlannedEnd {
  readonly workload: WorkloadInterface
  /** The other end where it is on this node too. */
  readonly far: WorkloadInterface | undefined
  readonly origin: WireLink['origin']
}

function planWorkload(kinds: WireKinds, intent: WireIntent, planned: PlannedWorkload): readonly Desired[] {
  const { role, workload, far, origin, tables } = planned
  return [
    want(kinds.pin, { id: portId(intent.id, role), namespace: workload.namespace }),
    want(kinds.link, { ...(far === undefined ? linkSpec : vethSpec)(intent, workload), origin }),
    ...planLayer3(kinds, workload, { farAddresses: far?.addresses ?? [], tables: tables[role] }),
  ]
}

function linkSpec({ id, mtuBytes }: WireIntent, { namespace, interfaceName }: WorkloadInterface): LinkSpec {
  return { namespace, name: interfaceName, alias: linkAlias(id), mtuBytes }
}

/**
 * No engine looks at what passes between two pods of one node, so the kernel of each does: packets come only from where
 * its routes by this link lead. In frames there may be whatever the workloads put there.
 */
function vethSpec(intent: WireIntent, workload: WorkloadInterface): LinkSpec {
  const checksSources = intent.payload === PAYLOAD_IP
  const checksIpv6Sources = checksSources && !hasIpv6PolicyByPort(workload)
  return { ...linkSpec(intent, workload), checksSources, checksIpv6Sources }
}

/** The prefixes of the end that it leads to are the remote ones, those of the other end the local ones. */
function portOf(intent: WireIntent, role: Role): PortSpec {
  const { id, mtuBytes, clientPrefixes, serverPrefixes } = intent
  const [local, remote] = role === 'server' ? [clientPrefixes, serverPrefixes] : [serverPrefixes, clientPrefixes]
  return planPort(intent[role], {
    id: portId(id, role),
    payload: payloadOf(intent, role),
    mtuBytes,
    localPrefixes: local,
    remotePrefixes: remote,
  })
}

/** A tunnel decides what it carries: some tunnels carry frames, whatever the payload. A device carries the same. */
function payloadOf(intent: WireIntent, role: Role): WireIntent['payload'] {
  if (workloadOf(intent[role]) === undefined) return intent.payload
  const tunnel = portOf(intent, role === 'client' ? 'server' : 'client')
  return portKindOf(tunnel).carries(tunnel)
}
