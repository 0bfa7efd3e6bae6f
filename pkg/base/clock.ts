import { NsmError } from './errors.ts'

/**
 * Time as a dependency: code that waits or reads the time takes a `Clock`, so that tests can advance a fake one instead
 * of sleeping. This file is the only one that uses `Date` and timers.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch, for what other machines see, such as expiry times. */
  nowMs(): number
  /** Monotonic time in milliseconds from an arbitrary start, for intervals that only this machine measures. */
  monotonicMs(): number
  /** Resolves after `ms`, or rejects with the reason of `signal` when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `callback` once after `ms`. The returned function cancels the call. */
  after(ms: number, callback: () => void): () => void
}

/** For longer delays setTimeout fires immediately, which would turn a distant expiry into a busy loop. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepWith(systemClock, ms, signal),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
}

/** Implements `sleep` on top of `after`, for all implementations of {@link Clock}. */
export function sleepWith(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export interface TimeLimit {
  readonly clock: Clock
  readonly ms: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `work` with a signal that aborts when the parent does, or with `deadline_exceeded` after `ms`. Unlike with
 * `AbortSignal.timeout`, a fake clock can advance the time, and no timer outlives the work.
 */
export async function within<T>(
  { clock, ms, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const onAbort = () => abort.abort(signal?.reason)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const late = () =>
    abort.abort(
      new NsmError('deadline_exceeded', 'Cannot finish the operation: its time limit has passed', { fields: { ms } }),
    )
  const cancel = clock.after(ms, late)
  try {
    return await work(abort.signal)
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
