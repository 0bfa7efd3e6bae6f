/** Finds the endpoints that may serve a request and settles for the first that accepts. */

import type { Connection } from '../api/index.ts'
import { type Clock, describeError, errorCode, isAway, NsmError, type Step, within } from '../base/index.ts'
import type { Target } from '../connections/index.ts'
import { type CandidateParts, findCandidates } from './candidates.ts'
import type { Asking } from './parts.ts'
import { RoundRobin } from './round-robin.ts'

/** How long one endpoint may take while there are others to try. */
const ATTEMPT_MS = 4_000

export interface Chosen {
  readonly target: Target
  readonly payload: 'IP' | 'ETHERNET'
  /** Ends the attempt with this endpoint. */
  readonly signal: AbortSignal
}

export function selectEndpoint(parts: CandidateParts & { readonly clock: Clock }): Step<Asking, Chosen, Connection> {
  const { clock } = parts
  const rounds = new RoundRobin(clock)
  return async function selectEndpoint({ connection, call, known }, next) {
    const { targets, payload } = await findCandidates(parts, { connection, call, known })
    const refusals: unknown[] = []
    for (const [position, target] of rounds.order(connection.networkService, targets).entries()) {
      const attempt = (signal: AbortSignal) => next({ target, payload, signal })
      const isLast = position === targets.length - 1
      try {
        if (isLast) return await attempt(call.signal)
        return await within({ clock, ms: ATTEMPT_MS, signal: call.signal }, attempt)
      } catch (error) {
        call.signal.throwIfAborted() // out of time: the others will not do better
        if (isAway(error)) rounds.avoid(target)
        refusals.push(error)
      }
    }
    throw allRefused(connection.networkService, refusals)
  }
}

/** One refusal speaks for itself. Several are worth another try if one of them is. */
function allRefused(networkService: string, refusals: readonly unknown[]): unknown {
  if (refusals.length === 1) return refusals[0]
  const codes = refusals.map(errorCode)
  const code = codes.find((each) => each === 'unavailable') ?? codes[0] ?? 'not_found'
  return new NsmError(code, 'Cannot reach an endpoint of the network service: all candidates have failed', {
    cause: new AggregateError(refusals, refusals.map(describeError).join('; ')),
    fields: { networkService, candidates: refusals.length },
  })
}
