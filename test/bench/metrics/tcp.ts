/** TCP: bulk flows by iperf3, and what they cost; one byte there and one back by nsm-round-trip. */
import { availableParallelism } from 'node:os'
import { fractionalSeconds, limitMs, wholeSeconds } from '../durations.ts'
import type { Conditions } from '../metrics.ts'
import type { Path } from '../system.ts'
import { ROUND_TRIP } from '../tools.ts'

export const ECHO_PORT = 5203
/** Ticks are counted when they end. */
const MOST_CPU_SHARE = 1.05

/** Gb/s that arrive. */
export async function tcp({ client, address }: Path, streams: number, seconds: number): Promise<number> {
  const how = ['--parallel', `${streams}`, '--time', wholeSeconds(seconds), '--connect-timeout', '5000', '--json']
  const command = ['iperf3', '--client', address, ...how]
  const { code, stdout, stderr } = await client.tryRun(command, { timeoutMs: limitMs(seconds) })
  if (code !== 0) throw new Error(`iperf3 to ${address}: ${errorIn(stdout) ?? stderr}`)
  return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9
}

/** iperf3 says in its JSON what went wrong, where it comes to that. */
function errorIn(stdout: string): string | undefined {
  return /"error":\s*"([^"]+)"/.exec(stdout)?.[1]
}

/** One stream: its Gb/s, and the CPU seconds that both ends, the tunnel, the load and the kernel spent on each gigabit. */
export async function tcpAndCost(path: Path, conditions: Conditions): Promise<readonly number[]> {
  const { bulkSeconds, startCpuMeter } = conditions
  const startMs = performance.now()
  const readMeter = startCpuMeter()
  const gbps = await tcp(path, 1, bulkSeconds)
  const spent = readMeter()
  const most = (MOST_CPU_SHARE * availableParallelism() * (performance.now() - startMs)) / 1_000
  if (spent > most) throw new Error(`${spent} CPU s were counted where the cores have ${most}`)
  return [gbps, spent / (gbps * bulkSeconds)]
}

/** Transactions a second. */
export async function transactions({ client, address }: Path, seconds: number): Promise<number> {
  const to = ['--ip', address, '--port', `${ECHO_PORT}`, '--seconds', fractionalSeconds(seconds)]
  const options = { timeoutMs: limitMs(seconds) }
  const { transactions, seconds: spent } = JSON.parse(await client.run([ROUND_TRIP, 'tcp', ...to], options))
  return transactions / spent
}
