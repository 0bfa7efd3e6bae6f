import type { Clock } from './clock.ts'

export interface Pace {
  /** How many values are read within {@link ms}; further ones wait at their sender. */
  readonly most: number
  readonly ms: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Reads a stream no faster than `pace`: what it costs is not for its sender to decide. */
export async function* paced<T>(values: AsyncIterable<T>, { most, ms, clock, signal }: Pace): AsyncGenerator<T> {
  let sinceMs = clock.monotonicMs()
  let taken = 0
  for await (const value of values) {
    yield value
    taken += 1
    if (taken < most) continue
    const restMs = sinceMs + ms - clock.monotonicMs()
    if (restMs > 0) await clock.sleep(restMs, signal)
    sinceMs = clock.monotonicMs()
    taken = 0
  }
}
