/** What a mesh has, counted from outside: what must be the same before and after. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Node } from '../../hack/lab/cluster.ts'
import type { Workload } from '../../hack/lab/workload.ts'

/** Interfaces, addresses, routes and rules of a workload's namespace, as `ip` shows them. */
export async function kernelState(workload: Workload): Promise<string> {
  const views = [
    ['link'],
    ['address'],
    ['route', 'show', 'table', 'all'],
    ['-6', 'route', 'show', 'table', 'all'],
    ['rule'],
  ]
  const texts = await Promise.all(views.map((view) => workload.host.run(['ip', ...view])))
  return texts.join('\n').replaceAll(/(valid_lft|preferred_lft|expires) \S+/g, '')
}

/** The kernel goes on for a while by itself, with IPv6's duplicate address detection. */
export async function settledState(workload: Workload): Promise<string> {
  for (let last = ''; ; ) {
    const state = await kernelState(workload)
    if (state === last) return state
    last = state
    await new Promise((resolve) => setTimeout(resolve, 2_500))
  }
}

export interface ProcessState {
  readonly descriptors: number
  readonly residentKib: number
}

/** The holder, its spawner and engine, and nsmd, by name. */
export function processStates(node: Node): ReadonlyMap<string, ProcessState> {
  const family = [node.holder.pid, ...descendants(node.holder.pid)]
  const named = new Map<string, number>(family.map((pid, index) => [`dataplane ${index}`, pid]))
  named.set('nsmd', node.nsmd.pid)
  return new Map([...named].map(([name, pid]) => [name, stateOf(pid)]))
}

function stateOf(pid: number): ProcessState {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { descriptors: descriptorsOf(pid), residentKib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) }
}

/** Connections that come and go with callers do not count: only what a wire may have left behind. */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return !readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // it was the descriptor of this very listing
    }
  }).length
}

function descendants(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}
