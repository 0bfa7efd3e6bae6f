/**
 * The mechanisms of a node: the one list that the request chain, forwarding and the dataplane's door go through. To add
 * one is to add it here (CONTRIBUTING.md, "Add a mechanism").
 */
import type { ConnectionContext, Mechanism } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type DevicePortSpec, type DevicePortStatus, type KernelEnd, kernel } from './kernel.ts'
import type { EndView, MechanismKind, Tunnel, WorkloadInterface } from './mechanism-kind.ts'
import type { PortKind, PortPlace, UnderlaySpec } from './port-kind.ts'
import { type VxlanEnd, type VxlanPortSpec, vxlan } from './vxlan.ts'
import type { WireguardEnd, WireguardPortSpec, WireguardPortStatus } from './wireguard/port.ts'
import { wireguard } from './wireguard/wireguard.ts'

export type End = KernelEnd | WireguardEnd | VxlanEnd
export type PortSpec = DevicePortSpec | WireguardPortSpec | VxlanPortSpec
export type PortStatus = DevicePortStatus | WireguardPortStatus | VxlanPortSpec

export type AnyMechanism = MechanismKind<End, PortSpec, PortStatus>
export type AnyPortKind = PortKind<PortSpec, PortStatus>

/** In the order in which they are offered. */
export const mechanisms: readonly AnyMechanism[] = [kernel, wireguard, vxlan]

export const portKinds: readonly AnyPortKind[] = mechanisms.map(({ port }) => port)

/** Those that this node offers and accepts: a tunnel needs a UDP port. */
export function available(cls: AnyMechanism['cls'], { ports }: Tunnel): readonly AnyMechanism[] {
  return mechanisms.filter(
    (each) => each.cls === cls && (each.underlay === undefined || ports[each.kind] !== undefined),
  )
}

export function mechanismOf({ kind }: Pick<End, 'kind'>): AnyMechanism {
  return mechanisms.find((each) => each.kind === kind) ?? unknownKind(kind)
}

/** See {@link MechanismKind.isForOursAlone}. */
export function isForOursAlone(offered: Mechanism): boolean {
  return mechanisms.find(({ type }) => type === offered.type)?.isForOursAlone?.(offered) ?? false
}

/** The end with what is known only when the endpoint has answered. */
export function completeEnd(end: End, context: ConnectionContext): End {
  return mechanismOf(end).complete?.(end, context) ?? end
}

/** Undefined for an end that leads to another node. */
export function workloadOf(end: End): WorkloadInterface | undefined {
  return mechanismOf(end).workload?.(end)
}

export function planPort(end: End, place: PortPlace): PortSpec {
  return mechanismOf(end).plan(end, place)
}

/** The UDP sockets that this node needs for its tunnels. */
export function underlaysOf(tunnel: Tunnel): readonly UnderlaySpec[] {
  return available('REMOTE', tunnel).flatMap(({ underlay }) => underlay?.(tunnel) ?? [])
}

/** @param status of the end's port, where the dataplane tells */
export function viewEnd(end: End, status: PortStatus | undefined): EndView {
  const { port, view } = mechanismOf(end)
  return view(end, status !== undefined && hasKind(port, status.kind) ? status : undefined)
}

export function portKindOf({ kind }: { readonly kind: string }): AnyPortKind {
  return portKinds.find((port) => hasKind(port, kind)) ?? unknownKind(kind)
}

function hasKind({ kinds }: AnyPortKind, kind: string): boolean {
  return kinds.some(([name]) => name === kind)
}

function unknownKind(kind: string): never {
  throw new NsmError('internal', 'Cannot use the wire: no mechanism has this kind of end or port', { fields: { kind } })
}
