/** CPU time as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs'

/** Of /proc: USER_HZ, 100 on every architecture of Linux. */
const TICKS_PER_SECOND = 100
/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const KERNEL_THREAD = 0x200000

/** What all CPUs together spent since boot on programs, the kernel and its interrupts. */
export function cpuSeconds(stat = readFileSync('/proc/stat', 'utf8')): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND
}

export interface ProcessTimes {
  readonly isKernelThread: boolean
  readonly ownSeconds: number
  /** Of its children that have ended. */
  readonly endedSeconds: number
}

/** @param stat of /proc/<pid>/stat, see proc(5) */
export function processTimes(stat: string): ProcessTimes {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number) // from the third on: names hold anything
  const [flags = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [6, 11, 12, 13, 14].map((at) => fields[at])
  return {
    isKernelThread: (flags & KERNEL_THREAD) !== 0,
    ownSeconds: (utime + stime) / TICKS_PER_SECOND,
    endedSeconds: (cutime + cstime) / TICKS_PER_SECOND,
  }
}

/**
 * What the lab and the kernel spend from now on, in CPU seconds: kernel threads and softirqs carry much of a tunnel's
 * work, and no process's account shows it, so it is what the whole machine spends without other people's programs.
 * Those are counted meanwhile: to take them for as busy as they were before gave less than nothing on a busy machine.
 */
export function startCpuMeter(isOurs: (pid: number) => boolean): () => number {
  const ours = (): number => cpuSeconds() - othersSeconds(isOurs)
  const before = ours()
  return () => ours() - before
}

/** Programs that end meanwhile are counted with who waited for them; those that this process waits for are the lab's. */
function othersSeconds(isOurs: (pid: number) => boolean): number {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  const spent = pids.map((pid) => {
    const times = timesOf(pid)
    if (times === undefined || times.isKernelThread || isOurs(pid)) return 0
    return times.ownSeconds + (pid === process.pid ? 0 : times.endedSeconds)
  })
  return spent.reduce((sum, seconds) => sum + seconds, 0)
}

/** Undefined for a process that is gone. */
function timesOf(pid: number): ProcessTimes | undefined {
  try {
    return processTimes(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** What all threads of a process ran, to the nanosecond: of short work /proc/<pid>/stat knows only ticks. */
export function processCpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const spentNs = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return threads.reduce((sum, thread) => sum + spentNs(thread), 0) / 1e9
}
