import { NsmError } from './errors.ts'

type Closer = () => void | Promise<void>

/**
 * What a long-lived part owns, closed in reverse order of creation. A part that fails to close does not keep the
 * others open; all failures come out together.
 */
export class Scope {
  readonly #closers: Closer[] = []
  readonly #abort = new AbortController()

  /** Aborted as the first step of `close`. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Registers `close` and returns `owned`, so that a part is made and owned on one line. */
  own<T extends { close(): void | Promise<void> }>(owned: T): T {
    this.defer(() => owned.close())
    return owned
  }

  /** @throws {NsmError} `failed_precondition` when the scope is closed already: the part would never be closed. */
  defer(closer: Closer): void {
    if (this.signal.aborted) throw new NsmError('failed_precondition', 'Cannot own a part: the scope is closed')
    this.#closers.push(closer)
  }

  /** Runs `task` until the scope closes. @param task ends when its signal aborts, and does not reject. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    const running = task(this.signal)
    this.defer(() => running)
  }

  async close(): Promise<void> {
    this.#abort.abort(new NsmError('cancelled', 'Cannot go on: closing'))
    const failures: unknown[] = []
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Cannot close every part')
  }
}
