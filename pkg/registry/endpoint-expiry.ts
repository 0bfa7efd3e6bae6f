import { type Clock, errorCode, isAway, type Logger, NsmError } from '../base/index.ts'
import type { EndpointRecords } from './store/registry-store.ts'

/** Delay before a failed removal is tried again. */
const RETRY_MS = 5_000
/** Another registry of the domain may register an endpoint in the same store, and go: nobody tells us when it expires. */
const MAX_PAUSE_MS = 10_000
const PAUSES_OF_A_LIFE = 6

/**
 * Removes expired endpoints, with one timer for the one that expires next, or to look for those of other registries. An
 * endpoint that cannot be removed because the disk is full is still served. Where the store was away, owners could not
 * renew in time: they may do it when it is back.
 */
export class EndpointExpiry {
  readonly #records: EndpointRecords
  readonly #clock: Clock
  readonly #logger: Logger
  #cancel = () => {}
  #atMs = Number.POSITIVE_INFINITY
  #isClosed = false
  #graceMs = 0
  #wasAway = false

  constructor(records: EndpointRecords, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#records = records
    this.#clock = clock
    this.#logger = logger
  }

  /** Endpoints that expired while the registry was down live for another `graceMs`: their owners may refresh them. */
  async start(graceMs: number): Promise<void> {
    this.#graceMs = graceMs
    try {
      await this.#extend()
    } catch (error) {
      if (errorCode(error) !== 'resource_exhausted') throw error
      this.#logger.warn('Cannot extend the endpoints that expired while the registry was down', { error })
    }
    await this.#sweep()
  }

  /** Makes sure that a record which expires at `atMs` is removed then. */
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

  get #pauseMs(): number {
    return Math.min(MAX_PAUSE_MS, this.#graceMs / PAUSES_OF_A_LIFE)
  }

  /** Nodes call no endpoint whose time has passed: while nobody can renew, it must not pass. */
  async #holdOn(): Promise<void> {
    this.#wasAway = true
    await this.#extend().catch((error: unknown) => {
      this.#logger.warn('Cannot extend the endpoints while the store is away', { error })
    })
  }

  async #extend(): Promise<void> {
    await this.#records.extend(this.#clock.nowMs() + this.#graceMs)
  }

  async #sweep(): Promise<void> {
    this.#atMs = Number.POSITIVE_INFINITY
    try {
      if (this.#wasAway) await this.#extend()
      this.#wasAway = false
      const nextMs = await this.#records.removeExpired(this.#clock.nowMs())
      const latestMs = this.#clock.nowMs() + this.#pauseMs
      this.expect(nextMs === undefined ? latestMs : Math.min(nextMs, latestMs))
    } catch (error) {
      if (this.#isClosed) return
      this.#logger.warn('Cannot remove expired endpoints yet: they are still served', { error })
      this.expect(this.#clock.nowMs() + Math.min(RETRY_MS, this.#pauseMs))
      if (isAway(error)) await this.#holdOn()
    }
  }
}

/**
 * When a registration expires: at the earliest of the asked times, and at most `defaultMs` from now.
 * @param asked the expiration time of the request, and that of the token it came with.
 * @throws {NsmError} `invalid_argument` when that time has passed.
 */
export function expiryMs(asked: readonly (number | undefined)[], nowMs: number, defaultMs: number): number {
  const atMs = Math.min(nowMs + defaultMs, ...asked.filter((ms) => ms !== undefined))
  if (atMs > nowMs) return atMs
  throw new NsmError('invalid_argument', 'Cannot register the endpoint: its expiration time has passed', {
    fields: { expiredMs: nowMs - atMs },
    next: 'compare the clocks of both machines, or leave expiration_time out',
  })
}
