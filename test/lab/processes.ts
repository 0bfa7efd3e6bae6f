/** What the kernel tells of processes. */
import { readFileSync, statSync } from 'node:fs'
import { formatNamespaceId } from '../../pkg/net/index.ts'

export function descendantsOf(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

/** None of a process that is gone. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/**
 * The engine of a holder: a child of the spawner that the holder forked, found by its command line.
 * @returns undefined while none runs
 */
export function enginePid(holderPid: number): number | undefined {
  return descendantsOf(holderPid).find((pid) => argumentsOf(pid).includes('engine'))
}

/** None of a process that is gone. */
function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** Resident memory, private and shared. */
export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN)
}

/** `inode://<dev>/<ino>` of its network namespace; undefined when it is gone. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return formatNamespaceId(statSync(`/proc/${pid}/ns/net`, { bigint: true }))
  } catch {
    return undefined
  }
}
