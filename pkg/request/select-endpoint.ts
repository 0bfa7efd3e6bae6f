/** Finds the endpoints that may serve a request and settles for the first that accepts. */
import type { Connection } from '../api/index.ts'
import { type Clock, describeError, errorCode, NsmError, withTimeout } from '../base/index.ts'
import type { Begun } from './begin.ts'
import { type CandidateParts, findCandidates } from './candidates.ts'
import type { Arrived, Incoming, Target } from './parts.ts'
import type { Step } from './step.ts'
import { Turns } from './turns.ts'

/** How long one endpoint may take while there are others to try. */
const ATTEMPT_MS = 4_000

export interface Chosen {
  readonly target: Target
  readonly payload: 'IP' | 'ETHERNET'
  /** Ends the attempt with this endpoint. */
  readonly signal: AbortSignal
}

export function selectEndpoint(
  parts: CandidateParts & { readonly clock: Clock },
): Step<Incoming & Arrived & Begun, Chosen, Connection> {
  const turns = new Turns(parts.clock)
  return async ({ connection, call, known }, next) => {
    const { targets, payload } = await findCandidates(parts, { connection, call, known })
    const refusals: unknown[] = []
    for (const [position, target] of turns.order(connection.networkService, targets).entries()) {
      const isLast = position === targets.length - 1
      try {
        return await next({ target, payload, signal: isLast ? call.signal : withTimeout(call.signal, ATTEMPT_MS) })
      } catch (error) {
        call.signal.throwIfAborted() // out of time: the others will not do better
        if (errorCode(error) === 'unavailable' || errorCode(error) === 'deadline_exceeded') turns.avoid(target)
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
