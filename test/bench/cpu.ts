/** CPU time as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs'

/** Of /proc: USER_HZ, 100 on every architecture of Linux. */
const TICKS_PER_SECOND = 100

/**
 * What all CPUs together spent since boot on programs, the kernel and its interrupts: kernel threads and softirqs carry
 * much of a tunnel's work, and no process's account shows it.
 */
export function cpuSeconds(stat = readFileSync('/proc/stat', 'utf8')): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND
}

/** How many cores are busy while nothing is measured: the least of several looks, since something may just have begun. */
export async function idleCores(): Promise<number> {
  const looks: number[] = []
  for (let look = 0; look < 4; look++) {
    const [startMs, before] = [performance.now(), cpuSeconds()]
    await new Promise((resolve) => setTimeout(resolve, 500))
    looks.push((cpuSeconds() - before) / ((performance.now() - startMs) / 1_000))
  }
  return Math.min(...looks)
}

/** What all threads of a process ran, to the nanosecond: of short work /proc/<pid>/stat knows only ticks. */
export function processCpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const spentNs = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return threads.reduce((sum, thread) => sum + spentNs(thread), 0) / 1e9
}
