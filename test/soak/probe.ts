/** A steady ping over a wire, and the gaps that it saw. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Workload } from '../lab/workload.ts'

const INTERVAL_S = 0.1

export interface Gaps {
  readonly received: number
  /** The longest time without an answer. */
  readonly longestMs: number
}

/** Pings whatever endpoint the wire leads to; the returned function ends that. */
export async function probe(workload: Workload): Promise<() => Promise<Gaps>> {
  let isEnded = false
  let received = 0
  let longestMs = 0
  let lastMs = performance.now()
  const heard = () => {
    const nowMs = performance.now()
    received += 1
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }
  let child: ReturnType<Workload['host']['pipe']> | undefined
  const run = async () => {
    while (!isEnded) {
      const target = await farAddress(workload)
      if (target === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        continue
      }
      child = workload.host.pipe(['ping', '-n', '-i', `${INTERVAL_S}`, '-W', '1', target])
      const ended = once(child, 'exit')
      const check = setInterval(async () => {
        if ((await farAddress(workload)) !== target) child?.kill('SIGINT')
      }, 250)
      for await (const line of createInterface({ input: child.stdout })) if (line.includes('bytes from')) heard()
      clearInterval(check)
      await ended
    }
  }
  const running = run()
  return async () => {
    isEnded = true
    child?.kill('SIGINT')
    await running
    longestMs = Math.max(longestMs, performance.now() - lastMs)
    return { received, longestMs: Math.round(longestMs) }
  }
}

/** After a failover it may be another one. */
async function farAddress({ host }: Workload): Promise<string | undefined> {
  const { stdout } = await host.tryRun(['ip', '-json', 'route', 'show', 'dev', 'nsm-1'])
  const routes: readonly { dst: string }[] = stdout.trim() === '' ? [] : JSON.parse(stdout)
  return routes.map(({ dst }) => dst).find((dst) => dst !== 'default')
}
