import { NsmError } from './errors.ts'

/**
 * Time as a value that is passed in: everything that waits or asks for the time takes a `Clock`,
 * so that tests move time instead of sleeping. The only place that touches `Date` and timers.
 */
export interface Clock {
  /** Milliseconds since the epoch. For what other machines see: expiry of certificates and tokens. */
  nowMs(): number
  /** Milliseconds from an arbitrary start that never jump. For what stays on this machine. */
  monotonicMs(): number
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once after `ms` unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void
}

/** setTimeout fires at once for longer delays, which would turn a far expiry into a busy loop. */
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

/** `sleep` in terms of `after`, for every implementation of {@link Clock}. */
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

/** A signal that aborts with `TimeoutError` after `ms`, or with its parent. */
export function withTimeout(parent: AbortSignal | undefined, ms: number): AbortSignal {
  const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(ms)))
  return parent === undefined ? timeout : AbortSignal.any([parent, timeout])
}

export interface TimeLimit {
  readonly clock: Clock
  readonly ms: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `work` with a signal that aborts with its parent, or with `deadline_exceeded` after `ms`. For what happens
 * often: unlike with {@link withTimeout}, no timer and no listener outlives the work.
 */
export async function within<T>(
  { clock, ms, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const onAbort = () => abort.abort(signal?.reason)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const late = () => abort.abort(new NsmError('deadline_exceeded', 'Cannot finish in time', { fields: { ms } }))
  const cancel = clock.after(ms, late)
  try {
    return await work(abort.signal)
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
