/** What is measured of a path: one function a figure. A new figure is one more entry. */
import { until } from '../../hack/lab/cluster.ts'
import type { Lab } from '../../hack/lab/lab.ts'
import type { Path } from './system.ts'

export interface Metric {
  readonly name: string
  readonly unit: string
  measure(path: Path, seconds: number): Promise<number>
}

export const METRICS: readonly Metric[] = [
  { name: 'tcp_1_gbps', unit: 'Gb/s', measure: (path, seconds) => tcp(path, 1, seconds) },
  { name: 'tcp_4_gbps', unit: 'Gb/s', measure: (path, seconds) => tcp(path, 4, seconds) },
  { name: 'rtt_idle_p50_us', unit: 'µs', measure: async (path) => quantile(await roundTrips(path, 1), 0.5) },
  { name: 'rtt_load_p99_us', unit: 'µs', measure: roundTripUnderLoad },
]

/** An iperf3 server at the far end of the path, for all its measurements. */
export async function serveIperf(lab: Lab, { client, server, address }: Path, name: string): Promise<void> {
  const ping = ['ping', '-c', '1', '-W', '1', address]
  await until(`${name} to carry packets`, async () => (await client.tryRun(ping)).code === 0)
  server.start(['iperf3', '--server', '--bind', address], `${lab.directory}/iperf-${name}.log`)
  const listening = async () => (await server.run(['ss', '-Hltn'])).includes(`${address}:5201`)
  await until(`iperf3 behind ${name}`, listening)
}

async function tcp({ client, address }: Path, streams: number, seconds: number): Promise<number> {
  const command = ['iperf3', '--client', address, '--parallel', `${streams}`, '--time', `${seconds}`, '--json']
  const { end, error } = JSON.parse((await client.tryRun(command, { timeoutMs: (seconds + 10) * 1_000 })).stdout)
  if (error !== undefined) throw new Error(`iperf3 to ${address}: ${error}`)
  return end.sum_received.bits_per_second / 1e9
}

async function roundTripUnderLoad(path: Path, seconds: number): Promise<number> {
  const [trips] = await Promise.all([roundTrips(path, seconds), tcp(path, 1, seconds)])
  return quantile(trips, 0.99)
}

/** Microseconds, 200 a second. */
async function roundTrips({ client, address }: Path, seconds: number): Promise<readonly number[]> {
  const { stdout } = await client.tryRun(['ping', '-n', '-i', '0.005', '-c', `${seconds * 200}`, '-W', '1', address])
  return [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms) * 1_000)
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
