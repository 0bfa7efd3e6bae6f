/**
 * Times between machines whose clocks differ. Each call says what the caller's clock shows. The server turns times of the
 * caller into its own, and its own into the caller's: so what both compare with their clock is the age of what they have
 * heard, and 10 minutes of difference harm nothing. Peers that say no time, such as upstream's, are taken to agree.
 */
import type { Connection, ConnectionEvent, NetworkServiceEndpoint } from '../api/index.ts'

/** Two clocks, each of which is off by 10 minutes, and some more; what differs by more than that is not followed. */
const MOST_AHEAD_MS = 25 * 60_000
/** Less than this may be the time that a call took. */
const LEAST_AHEAD_MS = 2_000

/** @param saidMs what the caller's clock showed when it called; undefined where it did not say */
export function aheadMs(saidMs: number | undefined, nowMs: number): number {
  const ahead = saidMs === undefined ? 0 : saidMs - nowMs
  return Math.abs(ahead) < LEAST_AHEAD_MS || !(Math.abs(ahead) <= MOST_AHEAD_MS) ? 0 : ahead
}

/** The connection as somebody sees it whose clock is `ms` ahead. */
export function connectionAt(connection: Connection, ms = 0): Connection {
  if (ms === 0) return connection
  const { index, segments } = connection.path
  const shifted = segments.map((segment) =>
    segment.expiresMs === undefined ? segment : { ...segment, expiresMs: segment.expiresMs + ms },
  )
  return { ...connection, path: { index, segments: shifted } }
}

export function eventAt({ type, connections }: ConnectionEvent, ms = 0): ConnectionEvent {
  if (ms === 0) return { type, connections }
  return { type, connections: new Map([...connections].map(([id, each]) => [id, connectionAt(each, ms)])) }
}

export function endpointAt(endpoint: NetworkServiceEndpoint, ms = 0): NetworkServiceEndpoint {
  if (ms === 0) return endpoint
  const shift = (timeMs: number | undefined) => (timeMs === undefined ? undefined : timeMs + ms)
  return { ...endpoint, expiresMs: shift(endpoint.expiresMs), registeredMs: shift(endpoint.registeredMs) }
}
