/**
 * A connection that stands stays with its endpoint, wherever that is now. When the next hop refuses connections, or does
 * not answer within a second, the registry is asked where the endpoint is:
 *
 *     where it was --answers--> done
 *                  --refuses, or is slow--> registry --somewhere else--> there
 */
import type { Connection } from '../api/index.ts'
import { type Clock, isAway } from '../base/index.ts'
import type { Target } from '../connections/index.ts'
import { type CandidateParts, movedTarget } from './candidates.ts'

/** No answer for so long is a reason to ask where the endpoint is. */
const SLOW_MS = 1_000

export interface Standing {
  readonly target: Target
  readonly signal: AbortSignal
}

export async function orWhereItMoved(
  parts: CandidateParts & { readonly clock: Clock },
  { target, signal }: Standing,
  attempt: (target: Target, signal: AbortSignal) => Promise<Connection>,
): Promise<Connection> {
  const stop = new AbortController()
  const trying = attempt(target, AbortSignal.any([signal, stop.signal]))
  try {
    const slow = parts.clock.sleep(SLOW_MS, stop.signal).then(() => true)
    const isOut = await Promise.race([trying.then(() => false, isAway), slow])
    slow.catch(() => {})
    const moved = isOut ? await movedTarget(parts, target, signal) : undefined
    if (moved === undefined) return await trying
    stop.abort()
    return await trying.catch(() => {
      signal.throwIfAborted()
      return attempt(moved, signal)
    })
  } finally {
    stop.abort()
  }
}
