/**
 * How often one caller may call, and how many watches it may hold, so that calls in a loop cost the others little.
 *
 *     within the burst     at once
 *     a little above it    the call waits for its turn
 *     far above it         refused, and not at once: who does not back off is slowed down all the same
 *
 * The rate is kept as the time at which the caller would have used up what it was given (GCRA, ITU-T I.371).
 */
import { type Clock, NsmError } from '../base/index.ts'

export interface CallQuota {
  readonly callsPerSecond: number
  /** Calls that may come at once. */
  readonly burst: number
  /** Streams that are open at once. */
  readonly watches: number
}

/**
 * What honest programs stay below that have `wires` wires: they may open all at once, within seconds, and watch each from
 * two places.
 */
export function callQuota(wires: number): CallQuota {
  return {
    callsPerSecond: Math.max(50, wires / 2),
    burst: Math.max(200, wires / 4),
    watches: Math.max(200, 2 * wires),
  }
}

/** The longest that a call waits for its turn: less than any program waits for an answer. */
const MAX_TURN_MS = 4000

/** How long a refusal takes, and up to as much more, so that those refused at once do not come back at once. */
const REFUSAL_MS = 1000

/** So many callers are remembered before those that have been quiet are looked for. */
const SWEPT_CALLERS = 1024

export class CallQuotas {
  readonly #quota: CallQuota
  readonly #clock: Clock
  readonly #usedUpMs = new Map<string, number>()
  readonly #watches = new Map<string, number>()

  constructor(quota: CallQuota, clock: Clock) {
    this.#quota = quota
    this.#clock = clock
  }

  /**
   * @returns how long the call waits for its turn
   * @throws {NsmError} `resource_exhausted` when that is too long
   */
  takeTurn(caller: string): number {
    const { callsPerSecond, burst } = this.#quota
    const nowMs = this.#clock.monotonicMs()
    this.#sweep(nowMs)
    const usedUpMs = Math.max(nowMs, this.#usedUpMs.get(caller) ?? 0) + 1000 / callsPerSecond
    const waitMs = usedUpMs - nowMs - (burst * 1000) / callsPerSecond
    if (waitMs > MAX_TURN_MS) throw tooOften(caller, this.#quota)
    this.#usedUpMs.set(caller, usedUpMs)
    return Math.max(0, waitMs)
  }

  refusalMs(): number {
    return REFUSAL_MS * (1 + Math.random())
  }

  /** @throws {NsmError} `resource_exhausted` */
  openWatch(caller: string): void {
    const open = this.#watches.get(caller) ?? 0
    if (open >= this.#quota.watches) throw tooManyWatches(caller, open)
    this.#watches.set(caller, open + 1)
  }

  closeWatch(caller: string): void {
    const left = (this.#watches.get(caller) ?? 0) - 1
    if (left > 0) this.#watches.set(caller, left)
    else this.#watches.delete(caller)
  }

  #sweep(nowMs: number): void {
    if (this.#usedUpMs.size < SWEPT_CALLERS) return
    for (const [caller, usedUpMs] of this.#usedUpMs) if (usedUpMs <= nowMs) this.#usedUpMs.delete(caller)
  }
}

function tooOften(caller: string, { callsPerSecond, burst }: CallQuota): NsmError {
  return new NsmError('resource_exhausted', 'Cannot take the call: its caller calls too often', {
    fields: { caller, callsPerSecond, burst },
    next: 'try again in a second, and wait longer after each refusal',
  })
}

function tooManyWatches(caller: string, open: number): NsmError {
  return new NsmError('resource_exhausted', 'Cannot open the stream: its caller has as many as it may have', {
    fields: { caller, open },
    next: 'close streams that nobody reads, and try again in a minute',
  })
}
