/** Finds the endpoints that may serve a request and settles for the first that accepts. */
import type { Connection, Payload } from '../api/index.ts'
import { type Clock, describeError, errorCode, isAway, NsmError, type Step, within } from '../base/index.ts'
import type { ConnectionRecord, Target } from '../connections/index.ts'
import { type CandidateParts, findCandidates } from './candidates.ts'
import { orWhereItMoved } from './moved.ts'
import type { Asking } from './parts.ts'
import type { Reselected } from './reselect.ts'

/** How long one endpoint may take while there are others to try. */
const ATTEMPT_MS = 4_000
/** All attempts together: a registry of another domain may name as many endpoints as it likes. */
const ALL_ATTEMPTS_MS = 15_000
const MOST_ATTEMPTS = 8
/** How long an endpoint that did not answer comes last. */
const AVOID_MS = 10_000
/** Services and addresses that are remembered; beyond that the oldest is forgotten, which only costs its turn. */
const MOST = 10_000

export interface Chosen {
  readonly target: Target
  readonly payload: Payload
  /** The connection as it stands, where it leads to the same next hop already: a node, or an endpoint of this one. */
  readonly standing: ConnectionRecord | undefined
  /** Ends the attempt with this endpoint. */
  readonly signal: AbortSignal
}

export function selectEndpoint(
  parts: CandidateParts & { readonly clock: Clock },
): Step<Asking & Reselected, Chosen, Connection> {
  const { clock } = parts
  const rounds = new RoundRobin(clock)
  return async function selectEndpoint({ connection, call, known, wantsOther }, next) {
    const { targets, payload } = await findCandidates(parts, { connection, call, known, wantsOther })
    const tried = rounds.order(connection.networkService, targets).slice(0, MOST_ATTEMPTS)
    const isStanding = (target: Target) => known !== undefined && isSameHop(known.target, target)
    const attempt = (target: Target) => (signal: AbortSignal) =>
      next({ target, payload, standing: isStanding(target) ? known : undefined, signal })
    const [first] = targets
    if (first !== undefined && isStanding(first) && !wantsOther) {
      const go = (target: Target, signal: AbortSignal) => next({ target, payload, standing: known, signal })
      const run = (signal: AbortSignal) => orWhereItMoved(parts, { target: first, signal }, go)
      return await within({ clock, ms: ALL_ATTEMPTS_MS, signal: call.signal }, run).catch((error: unknown) => {
        if (isAway(error)) rounds.avoid(first)
        throw error
      })
    }
    return await within({ clock, ms: ALL_ATTEMPTS_MS, signal: call.signal }, async (signal) => {
      const refusals: unknown[] = []
      for (const [position, target] of tried.entries()) {
        const isLast = position === tried.length - 1
        try {
          if (isLast) return await attempt(target)(signal)
          return await within({ clock, ms: ATTEMPT_MS, signal }, attempt(target))
        } catch (error) {
          signal.throwIfAborted() // out of time: the others will not do better
          if (isAway(error)) rounds.avoid(target)
          refusals.push(error)
        }
      }
      throw allRefused(connection.networkService, refusals)
    })
  }
}

/** Whether the same application is asked, which then knows the connection. */
function isSameHop(a: Target, b: Target): boolean {
  if (a.at === 'node') return b.at === 'node' && a.url === b.url && a.domain === b.domain
  return b.at === 'endpoint' && a.endpoint === b.endpoint
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

/**
 * The order in which endpoints are tried: each request begins with the next one, and those that did not answer lately
 * come last, so that one dead node does not delay every request.
 */
class RoundRobin {
  readonly #clock: Clock
  readonly #next = new Map<string, number>()
  readonly #avoidUntilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  order(service: string, targets: readonly Target[]): readonly Target[] {
    if (targets.length < 2) return targets
    const turn = (this.#next.get(service) ?? 0) % targets.length
    remember(this.#next, service, turn + 1)
    const rotated = [...targets.slice(turn), ...targets.slice(0, turn)]
    return [
      ...rotated.filter((target) => !this.#isAvoided(target)),
      ...rotated.filter((target) => this.#isAvoided(target)),
    ]
  }

  /** The target could not be reached. */
  avoid({ url }: Target): void {
    remember(this.#avoidUntilMs, url, this.#clock.monotonicMs() + AVOID_MS)
  }

  #isAvoided({ url }: Target): boolean {
    return (this.#avoidUntilMs.get(url) ?? 0) > this.#clock.monotonicMs()
  }
}

function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > MOST && oldest !== undefined) map.delete(oldest)
}
