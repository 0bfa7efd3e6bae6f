/**
 * The two loops of everything that depends on something which may be away: a stream that is followed for as long as we
 * run, and a call that is repeated until it succeeds. Both pause between attempts as {@link Backoff} says.
 */
import { Backoff, type BackoffOptions } from './backoff.ts'
import type { Clock } from './clock.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly retry: BackoffOptions
  /** Ends the loop. */
  readonly signal: AbortSignal
  /** Told of each attempt that failed, but not of the one that `signal` ended. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * Runs `attempt` again whenever it returns or throws, until `signal` aborts. An attempt calls `works` when the other
 * side has answered: the next pause is a short one again. Never rejects.
 */
export async function follow(options: RetryOptions, attempt: (works: () => void) => Promise<void>): Promise<void> {
  const { clock, retry, signal, onFailure } = options
  const backoff = new Backoff(retry)
  while (!signal.aborted) {
    try {
      await attempt(() => backoff.reset())
    } catch (error) {
      if (signal.aborted) return
      onFailure?.(error)
    }
    await clock.sleep(backoff.next(), signal).catch(() => {})
  }
}

/** The values of a stream that is opened again whenever it ends or fails. Ends, without an error, when `signal` aborts. */
export async function* followStream<T>(options: RetryOptions, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  const { clock, retry, signal, onFailure } = options
  const backoff = new Backoff(retry)
  while (!signal.aborted) {
    try {
      for await (const value of open()) {
        yield value
        backoff.reset()
      }
    } catch (error) {
      if (signal.aborted) return
      onFailure?.(error)
    }
    await clock.sleep(backoff.next(), signal).catch(() => {})
  }
}

export interface UntilOptions extends RetryOptions {
  /** Whether another attempt may succeed; other errors are thrown at once. */
  readonly isRetried: (error: unknown) => boolean
}

/** Repeats `attempt` until it succeeds. @throws what `isRetried` says no to; the reason of `signal` when it aborts. */
export async function retryUntilDone<T>(options: UntilOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, retry, signal, isRetried, onFailure } = options
  const backoff = new Backoff(retry)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!isRetried(error)) throw error
      onFailure?.(error)
    }
    await clock.sleep(backoff.next(), signal)
  }
}
