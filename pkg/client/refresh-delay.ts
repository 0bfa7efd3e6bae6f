import type { Connection } from '../api/index.ts'

/** For a path that names no expiry. */
const FALLBACK_MS = 60_000
const MIN_MS = 1_000

/**
 * When to refresh, in milliseconds from now: as in NSM v1, after a part of the time until the first token of the path
 * expires. The part grows with the distance from the client, so that the applications of a path refresh one by one.
 */
export function refreshDelayMs({ path }: Connection, nowMs: number): number {
  const leftMs = path.segments.flatMap(({ expiresMs }) => (expiresMs === undefined ? [] : [expiresMs - nowMs]))
  if (leftMs.length === 0) return FALLBACK_MS
  const count = path.segments.length
  const part = count === 1 ? 1 / 3 : 0.2 + (0.2 * path.index) / count
  return Math.max(MIN_MS, Math.min(...leftMs) * part)
}
