import { type Clock, errorCode, type Logger, NsmError } from '../base/index.ts'
import type { EndpointRecords } from './store.ts'

/** How soon a removal that failed is tried again. */
const RETRY_MS = 5_000

/**
 * Removes endpoints whose time is over, with one timer for the one that expires next. A full disk keeps them: what
 * cannot be removed is served on.
 */
export class Expiry {
  readonly #records: EndpointRecords
  readonly #clock: Clock
  readonly #logger: Logger
  #cancel = () => {}
  #atMs = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(records: EndpointRecords, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#records = records
    this.#clock = clock
    this.#logger = logger
  }

  /** Begins, after giving the owners of what expired while nobody served it `graceMs` to return. */
  async start(graceMs: number): Promise<void> {
    try {
      await this.#records.extend(this.#clock.nowMs() + graceMs)
    } catch (error) {
      if (errorCode(error) !== 'resource_exhausted') throw error
      this.#logger.warn('Endpoints that expired while the registry was away cannot be kept longer', { error })
    }
    await this.#sweep()
  }

  /** Says that a record expires at `atMs`. */
  expect(atMs: number): void {
    if (this.#isClosed || atMs >= this.#atMs) return
    this.#cancel()
    this.#atMs = atMs
    this.#cancel = this.#clock.after(atMs - this.#clock.nowMs(), () => void this.#sweep())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  async #sweep(): Promise<void> {
    this.#atMs = Number.POSITIVE_INFINITY
    try {
      const nextMs = await this.#records.removeExpired(this.#clock.nowMs())
      if (nextMs !== undefined) this.expect(nextMs)
    } catch (error) {
      if (this.#isClosed) return
      this.#logger.warn('Expired endpoints cannot be removed and are served on', { error })
      this.expect(this.#clock.nowMs() + RETRY_MS)
    }
  }
}

/**
 * When a registration ends: as asked, but not after the default, nor after the token of who vouches for it.
 * @throws {NsmError} `invalid_argument` when that time has passed.
 */
export function expiryMs(asked: readonly (number | undefined)[], nowMs: number, defaultMs: number): number {
  const atMs = Math.min(nowMs + defaultMs, ...asked.filter((ms) => ms !== undefined))
  if (atMs > nowMs) return atMs
  throw new NsmError('invalid_argument', 'Cannot register an endpoint: its expiration time is over', {
    fields: { expiredMs: nowMs - atMs },
    next: 'Compare the clocks of both machines, or leave expiration_time out.',
  })
}
