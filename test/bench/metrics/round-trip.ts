/** Round trips between two programs over UDP, idle and while a TCP stream fills the path. */
import { fractionalSeconds, limitMs } from '../durations.ts'
import { quantile } from '../quantile.ts'
import type { Path } from '../system.ts'
import { ROUND_TRIP } from '../tools.ts'
import { ECHO_PORT, tcp } from './tcp.ts'

const RATE_PER_SECOND = 200
/** For the stream to reach its speed before round trips count, and to outlast them. */
const MARGIN_SECONDS = 0.15

/** p50 and p99, in microseconds. */
export async function roundTrips({ client, address }: Path, seconds: number): Promise<readonly number[]> {
  const to = [
    '--ip',
    address,
    '--port',
    `${ECHO_PORT}`,
    '--rate',
    `${RATE_PER_SECOND}`,
    '--seconds',
    fractionalSeconds(seconds),
  ]
  const options = { timeoutMs: limitMs(seconds) }
  const { microseconds } = JSON.parse(await client.run([ROUND_TRIP, 'udp', ...to], options))
  return [quantile(microseconds, 0.5), quantile(microseconds, 0.99)]
}

/** @param seconds of the stream */
export async function roundTripsUnderLoad(path: Path, seconds: number): Promise<readonly number[]> {
  const stream = tcp(path, 1, seconds)
  await new Promise((resolve) => setTimeout(resolve, MARGIN_SECONDS * 1_000))
  const trips = await roundTrips(path, seconds - 2 * MARGIN_SECONDS)
  await stream
  return trips
}
