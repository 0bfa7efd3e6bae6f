/**
 * Loops for everything that depends on a peer that may be unreachable: one follows a stream for as long as the program
 * runs, the other retries a call until it succeeds. Both pause between attempts according to {@link Backoff}, and log the
 * first failure of a kind, then one a minute with their count. A {@link StreamRenewal} is no failure.
 */
import { Backoff, type BackoffOptions } from './backoff.ts'
import type { Clock } from './clock.ts'
import { describeError, StreamRenewal } from './errors.ts'
import { limitedLogger } from './limited-logger.ts'
import type { Logger } from './logger.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly retry: BackoffOptions
  /** Ends the loop. */
  readonly signal: AbortSignal
  /** Logs failed attempts, if this is not left to `onFailure`. */
  readonly log?: { readonly logger: Logger; readonly message: string }
  /** Called after each failed attempt, except the one that `signal` ended. It may throw to give up. */
  readonly onFailure?: (error: unknown) => void
}

/** What follows from the failures of one loop. */
class Failures {
  readonly #options: RetryOptions
  readonly #log: ReturnType<typeof limitedLogger> | undefined
  readonly #backoff: Backoff

  constructor(options: RetryOptions) {
    const { clock, retry, log } = options
    this.#options = options
    this.#log = log && limitedLogger(log.logger, { clock })
    this.#backoff = new Backoff(retry)
  }

  add(error: unknown): void {
    const { log, onFailure } = this.#options
    onFailure?.(error)
    if (log !== undefined) this.#log?.warn(log.message, { error: describeError(error) })
  }

  reset(): void {
    this.#backoff.reset()
  }

  /** @throws the reason of the signal when it aborts */
  async pause(): Promise<void> {
    await this.#options.clock.sleep(this.#backoff.next(), this.#options.signal)
  }

  close(): void {
    this.#log?.close()
  }
}

/**
 * Runs `attempt` again whenever it returns or throws, until `signal` aborts. The attempt calls `works` when the peer
 * has answered, which resets the backoff. Rejects only with what `onFailure` throws.
 */
export async function follow(options: RetryOptions, attempt: (works: () => void) => Promise<void>): Promise<void> {
  const { signal } = options
  const failures = new Failures(options)
  try {
    while (!signal.aborted) {
      try {
        await attempt(() => failures.reset())
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof StreamRenewal) continue
        failures.add(error)
      }
      await failures.pause().catch(() => {})
    }
  } finally {
    failures.close()
  }
}

/** Yields the values of a stream that is reopened whenever it ends or fails. Returns when `signal` aborts. */
export async function* followStream<T>(options: RetryOptions, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  const { signal } = options
  const failures = new Failures(options)
  try {
    while (!signal.aborted) {
      try {
        for await (const value of open()) {
          yield value
          failures.reset()
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof StreamRenewal) continue
        failures.add(error)
      }
      await failures.pause().catch(() => {})
    }
  } finally {
    failures.close()
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
  const { signal, isRetried } = options
  const failures = new Failures(options)
  try {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        signal.throwIfAborted()
        if (!isRetried(error)) throw error
        failures.add(error)
      }
      await failures.pause()
    }
  } finally {
    failures.close()
  }
}
