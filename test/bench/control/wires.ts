/** What a Request costs, alone, at 32 at once, and with many wires standing; what the wires cost nsmd. */
import { liveHeapBytes } from '../../lab/belongings.ts'
import type { Node } from '../../lab/cluster.ts'
import { descendantsOf } from '../../lab/processes.ts'
import { processCpuSeconds } from '../cpu.ts'
import { quantile } from '../quantile.ts'
import type { ControlEffort } from './effort.ts'
import { LoadClient } from './load-client.ts'
import { FAR, NEAR, type World } from './world.ts'

export type Found = (figure: string, value: number) => void
export type Spread = 'spread' | 'packed'

/** Wires that are spread are spread over so many namespaces. */
const NAMESPACES = 8
const AT_ONCE = 32

/** One after the other, then with 32 at once; each wire is closed again. */
export async function measureRequests(
  client: LoadClient,
  { requests, burst }: ControlEffort,
  [suffix, found]: readonly [string, Found],
): Promise<void> {
  for (const [where, service] of [
    ['near', NEAR],
    ['far', FAR],
  ] as const) {
    await client.openAndClose(service, 5)
    const { openMs } = await client.openAndClose(service, requests)
    found(`request_${where}_p50_ms${suffix}`, quantile(openMs, 0.5))
    found(`request_${where}_p99_ms${suffix}`, quantile(openMs, 0.99))
  }
  for (const [where, service] of [
    ['near', NEAR],
    ['far', FAR],
  ] as const) {
    const { seconds } = await client.burst(service, burst, AT_ONCE)
    found(`request_${where}_per_s${suffix}`, burst / seconds)
  }
}

/** The clients whose wires stand. The last is the one in whose namespace it is measured. */
export async function startClients(world: World, spread: Spread): Promise<readonly LoadClient[]> {
  const count = spread === 'packed' ? 1 : NAMESPACES
  const names = Array.from({ length: count }, (_, index) => `${spread}-${index + 1}`)
  return Promise.all(names.map((name) => LoadClient.start(world.lab, world.west, name)))
}

/** Opens wires on this node until so many stand. */
export async function growTo(clients: readonly LoadClient[], count: number): Promise<number> {
  const standing = clients.reduce((sum, client) => sum + client.standing, 0)
  const each = Math.ceil((count - standing) / clients.length)
  const startMs = performance.now()
  await Promise.all(clients.map((client) => client.open(NEAR, each, Math.ceil(AT_ONCE / clients.length))))
  return (each * clients.length) / ((performance.now() - startMs) / 1_000)
}

/** All daemons of a node, in percent of a core. */
export async function idlePercent(node: Node, seconds: number): Promise<number> {
  const pids = [node.nsmd.pid, node.holder.pid, ...descendantsOf(node.holder.pid)]
  const spent = () => pids.reduce((sum, pid) => sum + processCpuSeconds(pid), 0)
  await new Promise((resolve) => setTimeout(resolve, 2_000)) // what was under way ends
  const [startMs, before] = [performance.now(), spent()]
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  return (100 * (spent() - before)) / ((performance.now() - startMs) / 1_000)
}

export async function heapKib(node: Node): Promise<number> {
  return (await liveHeapBytes(node)) / 1_024
}
