/**
 * Loops for everything that depends on a peer that may be unreachable: one follows a stream for as long as the program
 * runs, the other retries a call until it succeeds. Both pause between attempts according to {@link Backoff}.
 */
import { Backoff, type BackoffOptions } from './backoff.ts'
import type { Clock } from './clock.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly retry: BackoffOptions
  /** Ends the loop. */
  readonly signal: AbortSignal
  /** Called after each failed attempt, except the one that `signal` ended. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * Runs `attempt` again whenever it returns or throws, until `signal` aborts. The attempt calls `works` when the peer
 * has answered, which resets the backoff. Never rejects.
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

/** Yields the values of a stream that is reopened whenever it ends or fails. Returns when `signal` aborts. */
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
  /** Whether a further attempt may succeed. All other errors are thrown immediately. */
  readonly isRetried: (error: unknown) => boolean
}

/**
 * Repeats `attempt` until it succeeds.
 * @throws an error that is not retried, or the reason of `signal` when it aborts
 */
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
