/** Whether a pod may start, by what is known of its wires. Pure. */
import { NsmError } from '../../base/index.ts'
import { isNothing } from '../annotations/asked-of-pod.ts'
import type { AskedWire } from '../annotations/wires.ts'
import type { PodStatus } from '../pods/node-pods.ts'

export type PodStart =
  | { readonly at: 'waits'; readonly why: NsmError }
  | { readonly at: 'starts' }
  /** Waiting longer would not help. */
  | { readonly at: 'refused'; readonly why: NsmError }

/** @param status undefined: the API server has not told of the pod */
export function podStart(status: PodStatus | undefined, sandboxId: string): PodStart {
  if (status?.asked === undefined) return waits('this node has not heard of the pod from the API server yet')
  const { asked, refusals, sandbox } = status
  if (refusals[0] !== undefined) return { at: 'refused', why: refusals[0] }
  if (isNothing(asked)) return { at: 'starts' }
  if (sandbox?.id !== sandboxId) return waits('the wires of its former sandbox are still being closed')
  const awaited = asked.wires.at === 'asked' ? asked.wires.value.filter(({ isAwaited }) => isAwaited) : []
  const missing = awaited.map((wire) => wireStart(status, wire)).filter(({ at }) => at !== 'starts')
  return missing.find(({ at }) => at === 'refused') ?? missing.find(isExplained) ?? missing[0] ?? { at: 'starts' }
}

function wireStart({ wires }: PodStatus, { key, url }: AskedWire): PodStart {
  const state = wires.find(({ asked }) => asked.key === key)?.state
  if (state?.at === 'up') return { at: 'starts' }
  const { problem, isDenied = false } = state ?? {}
  const why = new NsmError('unavailable', `Cannot start the pod: its wire to ${url.service} is not up`, {
    ...(problem !== undefined && { cause: new NsmError('unavailable', problem) }),
  })
  return { at: isDenied ? 'refused' : 'waits', why }
}

function isExplained(start: PodStart): boolean {
  return start.at === 'waits' && start.why.cause !== undefined
}

function waits(state: string): PodStart {
  return { at: 'waits', why: new NsmError('unavailable', `Cannot start the pod: ${state}`) }
}
