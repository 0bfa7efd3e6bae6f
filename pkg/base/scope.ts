import { NsmError } from './errors.ts'

type Closer = () => void | Promise<void>

/**
 * The resources that a long-lived component owns, closed in reverse order of creation. When one fails to close, the
 * others are closed all the same, and all failures are thrown together.
 */
export class Scope {
  readonly #closers: Closer[] = []
  readonly #abort = new AbortController()

  /** Aborts as the first step of `close`. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Registers `owned` to be closed and returns it, so that a resource is created and owned on one line. */
  own<T extends { close(): void | Promise<void> }>(owned: T): T {
    this.defer(() => owned.close())
    return owned
  }

  /** @throws {NsmError} `failed_precondition` when the scope is closed already: the resource would leak. */
  defer(closer: Closer): void {
    if (this.signal.aborted) throw new NsmError('failed_precondition', 'Cannot own the resource: the scope is closed')
    this.#closers.push(closer)
  }

  /** Runs `task` until the scope closes. @param task must end when its signal aborts, and must not reject */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    const running = task(this.signal)
    this.defer(() => running)
  }

  async close(): Promise<void> {
    this.#abort.abort(new NsmError('cancelled', 'Cannot continue: the owner is closing'))
    const failures: unknown[] = []
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Cannot close every resource')
  }
}
