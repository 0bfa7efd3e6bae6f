import type { Clock } from './clock.ts'

export interface Pace<T = unknown> {
  /** How many values are read within {@link ms}; further ones wait at their sender. It may change while the stream runs. */
  readonly most: number
  readonly ms: number
  /** As how many values one counts; without it, each as one. */
  readonly weigh?: (value: T) => number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Reads a stream no faster than `pace`: what it costs is not for its sender to decide. */
export async function* paced<T>(values: AsyncIterable<T>, pace: Pace<T>): AsyncGenerator<T> {
  const { ms, clock, signal, weigh = () => 1 } = pace
  let sinceMs = clock.monotonicMs()
  let taken = 0
  for await (const value of values) {
    yield value
    taken += weigh(value)
    const { most } = pace
    if (taken < most) continue
    const restMs = sinceMs + ms * (taken / most) - clock.monotonicMs()
    if (restMs > 0) await clock.sleep(restMs, signal)
    sinceMs = clock.monotonicMs()
    taken = 0
  }
}
