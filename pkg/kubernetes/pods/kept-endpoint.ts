/**
 * An endpoint that is kept for a pod: opened, again where that fails, and registered for as long as it is kept.
 *
 *     opening --> registering --> up          each failure is told; close unregisters, leave does not
 */
import { type Clock, type Logger, retryUntilDone } from '../../base/index.ts'
import { type Kept, problemOf, type Tell } from './doors.ts'

/** An endpoint that answers, and registers. */
export interface OpenedEndpoint {
  readonly registration: {
    /** Resolves when it is registered for the first time. */
    readonly done: Promise<unknown>
    leave(): Promise<void>
    /** Unregisters it. */
    close(): Promise<void>
  }
  /** Stops answering. */
  close(): Promise<void>
}

export interface KeptEndpointOptions {
  readonly open: (signal: AbortSignal) => Promise<OpenedEndpoint>
  readonly tell: Tell
  readonly clock: Clock
  readonly logger: Logger
}

const RETRY = { firstMs: 200, maxMs: 5_000 }

export class KeptEndpoint implements Kept {
  readonly #options: KeptEndpointOptions
  readonly #abort = new AbortController()
  readonly #opening: Promise<OpenedEndpoint | undefined>

  constructor(options: KeptEndpointOptions) {
    this.#options = options
    this.#opening = this.#open().catch(() => undefined)
  }

  async leave(): Promise<void> {
    await this.#end((registration) => registration.leave())
  }

  async close(): Promise<void> {
    await this.#end((registration) => registration.close())
  }

  async #open(): Promise<OpenedEndpoint> {
    const { open, tell, clock, logger } = this.#options
    const { signal } = this.#abort
    const onFailure = (error: unknown) => tell({ at: 'pending', problem: problemOf(error) })
    const log = { logger, message: 'Cannot open the endpoint of a pod, retrying' }
    const retry = { clock, retry: RETRY, signal, isRetried: () => true, onFailure, log }
    const opened = await retryUntilDone(retry, () => open(signal))
    const onRegistered = () => tell({ at: 'up' })
    opened.registration.done.then(onRegistered).catch(() => {})
    return opened
  }

  async #end(how: (registration: OpenedEndpoint['registration']) => Promise<void>): Promise<void> {
    this.#abort.abort()
    const opened = await this.#opening
    if (opened === undefined) return
    await how(opened.registration)
    await opened.close()
  }
}
