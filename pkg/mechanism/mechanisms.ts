/**
 * The list of mechanisms. The request chain, forwarding and the dataplane's door go through it and name no mechanism.
 * CONTRIBUTING.md says how to add one.
 */
import type { ConnectionContext, Mechanism } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type DevicePortSpec, type DevicePortStatus, type KernelEnd, kernel } from './kernel.ts'
import type { EndView, MechanismKind, Role, Tunnel, WorkloadInterface } from './mechanism-kind.ts'
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

/** The mechanisms that this node offers and accepts. A tunnel needs a UDP port. */
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

/** See {@link MechanismKind.isAgreedHere}. */
export function isAgreedHere(agreed: Mechanism | undefined, role: Role, tunnel: Tunnel): boolean {
  const kind = mechanisms.find(({ cls, type }) => cls === agreed?.cls && type === agreed.type)
  return agreed === undefined || (kind?.isAgreedHere?.(agreed, role, tunnel) ?? true)
}

/** Adds what is known only after the endpoint has answered. */
export function completeEnd(end: End, context: ConnectionContext): End {
  return mechanismOf(end).complete?.(end, context) ?? end
}

/** What was heard of the session of one of the two ends holds for the other. */
export function isSameSession(one: End, other: End): boolean {
  return one.kind === other.kind && (mechanismOf(one).isSameSession?.(one, other) ?? false)
}

/** The interface of an end; undefined for an end that leads to another node. */
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

/** @param status of the port of the end, if the dataplane reports it */
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
