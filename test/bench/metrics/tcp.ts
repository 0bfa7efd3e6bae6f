/** TCP: bulk flows by iperf3, and what they cost; one byte there and one back by nsm-round-trip. */
import { cpuSeconds } from '../cpu.ts'
import type { Conditions } from '../metrics.ts'
import type { Path } from '../system.ts'
import { ROUND_TRIP } from '../tools.ts'

export const ECHO_PORT = 5203
const PATIENCE_MS = 10_000

/** Gb/s that arrive. */
export async function tcp({ client, address }: Path, streams: number, seconds: number): Promise<number> {
  const command = ['iperf3', '--client', address, '--parallel', `${streams}`, '--time', `${seconds}`, '--json']
  const { stdout } = await client.tryRun(command, { timeoutMs: seconds * 1_000 + PATIENCE_MS })
  const { end, error } = JSON.parse(stdout)
  if (error !== undefined) throw new Error(`iperf3 to ${address}: ${error}`)
  return end.sum_received.bits_per_second / 1e9
}

/** One stream: its Gb/s, and the CPU seconds that the whole machine, load included, spent on each gigabit. */
export async function tcpAndCost(path: Path, { bulkSeconds, idleCores }: Conditions): Promise<readonly number[]> {
  const [startMs, before] = [performance.now(), cpuSeconds()]
  const gbps = await tcp(path, 1, bulkSeconds)
  const spent = cpuSeconds() - before - (idleCores * (performance.now() - startMs)) / 1_000
  return [gbps, spent / (gbps * bulkSeconds)]
}

/** Transactions a second. */
export async function transactions({ client, address }: Path, seconds: number): Promise<number> {
  const to = ['--ip', address, '--port', `${ECHO_PORT}`, '--seconds', `${seconds}`]
  const { transactions, seconds: spent } = JSON.parse(await client.run([ROUND_TRIP, 'tcp', ...to]))
  return transactions / spent
}
