/**
 * What there is to say of a pod's wires: how each of them is, and the condition that sums them up. Pure.
 *
 *     every wire up                  True   WiresUp
 *     the annotation is empty        True   NoWires      only where a condition stands, or a readiness gate waits for it
 *     the first one that is not up   False  WirePending, WireDown or WireDenied, and why
 */
import type { Asked } from '../annotations/asked-of-pod.ts'
import type { AskedWire } from '../annotations/wires.ts'
import { type KeptState, problemOf } from '../pods/doors.ts'
import type { PodStatus } from '../pods/node-pods.ts'
import { hasEnded, type Pod, type PodCondition, WIRES_CONDITION } from '../pods/pod.ts'
import { shorten } from './shorten.ts'

/** How a wire is, or all of them where their annotation is refused, or the endpoint that the pod is. */
export interface Reported {
  readonly key: string
  /** As people read it: `nsm-1 to db`. */
  readonly name: string
  readonly at: 'pending' | 'up' | 'down' | 'denied'
  /** Why, and what to do next; empty where that is not known. */
  readonly why: string
}

export interface PodReport {
  readonly pod: Pod
  readonly wires: readonly Reported[]
  readonly endpoint: Reported | undefined
  /** Undefined: what stands is left as it is. */
  readonly condition: PodCondition | undefined
}

/** Undefined where there is nothing to say. @param before what there was to say until now */
export function reportOf(status: PodStatus, before: PodReport | undefined): PodReport | undefined {
  const { pod, asked } = status
  if (asked === undefined || hasEnded(pod)) return undefined
  const wires = reportedWires(status, asked).map((wire) => stillDenied(wire, before?.wires) ?? wire)
  const endpoint = reportedEndpoint(status, asked)
  const condition = conditionOf(pod, wires)
  if (wires.length === 0 && endpoint === undefined && condition === undefined) return undefined
  return { pod, wires, endpoint, condition }
}

export function areUp(wires: readonly Reported[]): boolean {
  return wires.every(({ at }) => at === 'up')
}

export function isSameCondition(one: PodCondition | undefined, other: PodCondition | undefined): boolean {
  return one?.status === other?.status && one?.reason === other?.reason && one?.message === other?.message
}

function reportedWires({ wires, problem }: PodStatus, { wires: asked }: Asked): readonly Reported[] {
  if (asked.at === 'refused') return [{ key: '', name: 'the wires', at: 'denied', why: problemOf(asked.error) }]
  const states = new Map(wires.map((wire) => [wire.asked.key, wire.state]))
  const unknown: KeptState = { at: 'pending', problem }
  return asked.value.map((wire) => ({
    key: wire.key,
    name: nameOf(wire),
    ...reported(states.get(wire.key) ?? unknown),
  }))
}

/** One that was denied is denied while it is asked for again: the gate ends a pod's sandbox, and lets the next one ask. */
function stillDenied({ key, name, at }: Reported, before: readonly Reported[] = []): Reported | undefined {
  if (at !== 'pending') return undefined
  return before.find((each) => each.key === key && each.name === name && each.at === 'denied')
}

function reportedEndpoint({ endpoint }: PodStatus, { serve }: Asked): Reported | undefined {
  const is = { key: '/serve', name: 'the endpoint' } // no wire has a key with a slash
  if (serve.at === 'refused') return { ...is, at: 'denied', why: problemOf(serve.error) }
  return endpoint === undefined ? undefined : { ...is, ...reported(endpoint) }
}

/** What has a problem was asked for, and not given. */
function reported(state: KeptState): Pick<Reported, 'at' | 'why'> {
  if (state.at === 'up') return { at: 'up', why: '' }
  return state.problem === undefined ? { at: state.at, why: '' } : { at: 'denied', why: state.problem }
}

function nameOf({ url: { interfaceName, service } }: AskedWire): string {
  return interfaceName === '' ? `the wire to ${service}` : `${interfaceName} to ${service}`
}

const REASONS = { up: 'WiresUp', pending: 'WirePending', down: 'WireDown', denied: 'WireDenied' } as const

function conditionOf(pod: Pod, wires: readonly Reported[]): PodCondition | undefined {
  const { condition, isReadyByWires } = pod
  const type = WIRES_CONDITION
  if (wires.length === 0) {
    if (condition === undefined && !isReadyByWires) return undefined
    return { type, status: 'True', reason: 'NoWires', message: 'the pod asks for no wire' }
  }
  const first = wires.find(({ at }) => at !== 'up')
  if (first === undefined) {
    return { type, status: 'True', reason: REASONS.up, message: shorten(`${namesOf(wires)} up`) }
  }
  // Why it is not up is not known yet, and may be as before. Kubernetes takes a condition that is not there for False.
  if (first.at === 'pending' && condition?.status !== 'True') return undefined
  return { type, status: 'False', reason: REASONS[first.at], message: shorten(sentenceOf(first)) }
}

/** `nsm-1 to db is`, or `nsm-1 to db, nsm-2 to files are`. */
export function namesOf(reported: readonly Reported[]): string {
  return `${reported.map(({ name }) => name).join(', ')} ${reported.length === 1 ? 'is' : 'are'}`
}

/** What nsmctl does on a node, from wherever kubectl works. */
const ON_NODES = /\bnsmctl (?=(?:close|describe|domain|get|node|status)\b)/g

export function sentenceOf({ name, at, why }: Reported): string {
  if (at === 'denied') return `${name}: ${why.replaceAll(ON_NODES, 'kubectl nsm ')}`
  return `${name} is ${at === 'down' ? 'down, and asked for again' : 'being asked for'}`
}
