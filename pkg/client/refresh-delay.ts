import type { Connection } from '../api/index.ts'

/** For a path whose segments have no expiry. */
const FALLBACK_MS = 60_000
const MIN_MS = 1_000

/**
 * The delay until the next refresh, in milliseconds. As in NSM v1, it is a fraction of the time until the first token
 * of the path expires. The fraction grows with the distance from the client, so that a path does not refresh all at
 * once.
 */
export function refreshDelayMs({ path }: Connection, nowMs: number): number {
  const leftMs = path.segments.flatMap(({ expiresMs }) => (expiresMs === undefined ? [] : [expiresMs - nowMs]))
  if (leftMs.length === 0) return FALLBACK_MS
  const count = path.segments.length
  const fraction = count === 1 ? 1 / 3 : 0.2 + (0.2 * path.index) / count
  return Math.max(MIN_MS, Math.min(...leftMs) * fraction)
}
