/** What a mesh has, counted from outside: what must be the same before and after. */
import { readdirSync, readlinkSync } from 'node:fs'
import type { Node } from './cluster.ts'
import { descendantsOf, residentKib } from './processes.ts'
import { ROOT } from './programs.ts'
import type { Workload } from './workload.ts'

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
  /** Files, pipes, namespaces: all but sockets. */
  readonly descriptors: number
  /** Resident; of nsmd, the live heap. */
  readonly bytes: number
}

/** The holder, its spawner and engine, and nsmd, by name. */
export async function processStates(node: Node): Promise<ReadonlyMap<string, ProcessState>> {
  const family = [node.holder.pid, ...descendantsOf(node.holder.pid)]
  const dataplane = family.map((pid, index) => [`dataplane ${index}`, stateOf(pid, residentKib(pid) * 1_024)] as const)
  return new Map([...dataplane, ['nsmd', stateOf(node.nsmd.pid, await liveHeapBytes(node))]])
}

function stateOf(pid: number, bytes: number): ProcessState {
  return { descriptors: descriptorsOf(pid), bytes }
}

/** What is alive of a heap says more than what is resident: V8 collects when it likes. */
export async function liveHeapBytes({ host, nsmd }: Node): Promise<number> {
  process.kill(nsmd.pid, 'SIGUSR1')
  return Number(await host.run([process.execPath, `${ROOT}/test/lab/live-heap.ts`]))
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
