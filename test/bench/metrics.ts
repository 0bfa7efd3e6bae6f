/** What is measured of a path: a registry of measurements, each of which gives one figure or several. */

import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import type { Figure } from './figures.ts'
import { roundTrips, roundTripsUnderLoad } from './metrics/round-trip.ts'
import { ECHO_PORT, tcp, tcpAndCost, transactions } from './metrics/tcp.ts'
import { UDP_LOAD_PORT, udpRate } from './metrics/udp.ts'
import type { Path } from './system.ts'
import { ROUND_TRIP, UDP_LOAD } from './tools.ts'

export interface Conditions {
  /** How long a flow is measured. */
  readonly bulkSeconds: number
  /** How long one trial of a search takes. */
  readonly trialSeconds: number
  /** A search ends when the lowest bad rate is at most this many times the highest good one. */
  readonly precision: number
  /** Begins to count what the lab spends; the result gives CPU seconds. */
  readonly startCpuMeter: () => () => number
}

export interface Measurement {
  readonly figures: readonly Figure[]
  /** Values in the order of `figures`. */
  measure(path: Path, conditions: Conditions): Promise<readonly number[]>
}

/** What memory can be copied at, with a wide margin. */
const MOST_GBPS = 1_000
/** A hundred nanoseconds for a packet and its system calls. */
const MOST_PER_SECOND = 10_000_000
const MOST_ROUND_TRIP_US = 10_000_000

export const MEASUREMENTS: readonly Measurement[] = [
  {
    figures: [
      { name: 'tcp_1_gbps', unit: 'Gb/s', most: MOST_GBPS },
      { name: 'cpu_s_per_gbit', unit: 's/Gb' },
    ],
    measure: tcpAndCost,
  },
  {
    figures: [{ name: 'tcp_4_gbps', unit: 'Gb/s', most: MOST_GBPS }],
    measure: async (path, { bulkSeconds }) => [await tcp(path, 4, bulkSeconds)],
  },
  {
    figures: [{ name: 'tcp_rr', unit: '1/s', most: MOST_PER_SECOND }],
    measure: async (path, { bulkSeconds }) => [await transactions(path, bulkSeconds / 2)],
  },
  {
    figures: [{ name: 'udp_64_pps', unit: '1/s', most: MOST_PER_SECOND }],
    measure: async (path, conditions) => [await udpRate(path, 64, conditions)],
  },
  {
    figures: [{ name: 'udp_1400_pps', unit: '1/s', most: MOST_PER_SECOND }],
    measure: async (path, conditions) => [await udpRate(path, 1400, conditions)],
  },
  {
    figures: [
      { name: 'rtt_idle_p50_us', unit: 'µs', most: MOST_ROUND_TRIP_US },
      { name: 'rtt_idle_p99_us', unit: 'µs', most: MOST_ROUND_TRIP_US },
    ],
    measure: (path, { bulkSeconds }) => roundTrips(path, bulkSeconds),
  },
  {
    figures: [
      { name: 'rtt_load_p50_us', unit: 'µs', most: MOST_ROUND_TRIP_US },
      { name: 'rtt_load_p99_us', unit: 'µs', most: MOST_ROUND_TRIP_US },
    ],
    measure: (path, { bulkSeconds }) => roundTripsUnderLoad(path, bulkSeconds),
  },
]

/** What answers the measurements at the far end of the path, for as long as the lab stands. */
export async function serveMeasurements(lab: Lab, { client, server, address }: Path, name: string): Promise<void> {
  const ping = ['ping', '-c', '1', '-W', '1', address]
  await until(`${name} to carry packets`, async () => (await client.tryRun(ping)).code === 0)
  const programs = [
    ['iperf3', '--server', '--bind', address, '--idle-timeout', '60', '--rcv-timeout', '5000'],
    [UDP_LOAD, 'receive', '--ip', address, '--port', `${UDP_LOAD_PORT}`],
    [ROUND_TRIP, 'serve', '--ip', address, '--port', `${ECHO_PORT}`],
  ]
  for (const program of programs) server.start(program, `${lab.directory}/load-${name}.log`)
  for (const port of [5201, UDP_LOAD_PORT, ECHO_PORT]) {
    const isOpen = async () => (await server.run(['ss', '-Hlntu'])).includes(`${address}:${port}`)
    await until(`port ${port} behind ${name}`, isOpen)
  }
}
