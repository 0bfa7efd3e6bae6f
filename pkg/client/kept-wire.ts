/**
 * A wire that is maintained for a workload: requested, refreshed before it expires, requested again when the mesh
 * reports that it is down, and closed at the end.
 *
 *     requesting --> connecting --> up --> refreshing --> up ...
 *          ^                         |          | the mesh did not answer before the wire expired
 *          '------ healing <---------+----------'
 */
import type { Connection, ConnectionRequest, MonitorClient, NetworkServiceClient } from '../api/index.ts'
import { Backoff, type Clock, errorCode, isAway, type Logger, retryUntilDone, within } from '../base/index.ts'
import { refreshDelayMs } from './refresh-delay.ts'
import { firstRequest, refreshRequest, reselectRequest, type WantedWire } from './requests.ts'
import { waitForFault } from './wait-for-fault.ts'

export interface KeptWireOptions {
  readonly services: NetworkServiceClient
  readonly monitor: MonitorClient
  readonly clock: Clock
  readonly logger: Logger
  readonly requestTimeoutMs: number
  /** Whether to retry a failed request. Even a refused one may be allowed later. */
  readonly isRetried: (error: unknown) => boolean
  /** Told of each change of its state, and of each failed request. They must not throw. */
  readonly onState?: (state: KeptWireState) => void
  readonly onFailure?: (error: unknown) => void
}

export type KeptWireState =
  | { readonly at: 'requesting' }
  /** The mesh has answered; it has not said yet that packets pass both ways. */
  | { readonly at: 'connecting'; readonly connection: Connection }
  | { readonly at: 'up'; readonly connection: Connection }
  | { readonly at: 'refreshing'; readonly connection: Connection }
  | { readonly at: 'healing'; readonly connection: Connection }
  | { readonly at: 'closed' }

const RETRY = { firstMs: 200, maxMs: 5_000 }
const CLOSE_MS = 5_000
/** A wire that lasts for so long after it was healed is healed at once the next time. */
const STEADY_MS = 10_000

export class KeptWire {
  readonly #wanted: WantedWire
  readonly #options: KeptWireOptions
  readonly #abort = new AbortController()
  readonly #first = Promise.withResolvers<Connection>()
  readonly #running: Promise<void>
  readonly #healing = new Backoff(RETRY)
  /** Whether the wire that stands has been up: a refresh does not change that. */
  #wasUp = false
  #healedMs = Number.NEGATIVE_INFINITY
  #state: KeptWireState = { at: 'requesting' }

  private constructor(wanted: WantedWire, options: KeptWireOptions) {
    this.#wanted = wanted
    this.#options = options
    this.#first.promise.catch(() => {})
    this.#running = this.#run()
  }

  static open(wanted: WantedWire, options: KeptWireOptions): KeptWire {
    return new KeptWire(wanted, options)
  }

  get state(): KeptWireState {
    return this.#state
  }

  /** Resolves when the wire is up for the first time; rejects with an error that is not retried. */
  get up(): Promise<Connection> {
    return this.#first.promise
  }

  /** Resolves when the wire is closed; rejects with an error that is not retried. */
  get ended(): Promise<void> {
    return this.#running
  }

  /** Stops maintaining it: the wire stands on until it expires, for whoever takes it up again by its id. */
  async leave(): Promise<void> {
    this.#abort.abort()
    await this.#running.catch(() => {})
  }

  async close(): Promise<void> {
    const state = this.#state
    await this.leave()
    if (state.at === 'closed') return
    if (state.at !== 'requesting') return await this.#closeAtNode(state.connection)
    // The node may have made it all the same, or keep it from an earlier run of this program.
    await this.#closeAtNode(firstRequest(this.#wanted).connection).catch(() => {})
  }

  async #closeAtNode(connection: Connection): Promise<void> {
    const { services, clock } = this.#options
    await within({ clock, ms: CLOSE_MS }, (signal) => services.close(connection, { signal }))
  }

  async #run(): Promise<void> {
    try {
      for (let request = firstRequest(this.#wanted); ; ) {
        const connection = await this.#request(request)
        this.#become({ at: this.#wasUp ? 'up' : 'connecting', connection })
        this.#checkDefaultRoutes(connection)
        request = await this.#hold(connection)
      }
    } catch (error) {
      this.#become({ at: 'closed' })
      this.#first.reject(error)
      if (!this.#abort.signal.aborted) throw error
    }
  }

  /** Retries until it succeeds. A wire that expired before it was confirmed is requested again from any endpoint. */
  #request(request: ConnectionRequest): Promise<Connection> {
    const { services, clock, logger, requestTimeoutMs: ms, isRetried } = this.#options
    const { signal } = this.#abort
    let asked = request
    const onFailure = (error: unknown) => {
      this.#options.onFailure?.(error)
      if (isLost(error, asked.connection, clock.nowMs())) asked = this.#heal(asked.connection)
    }
    const log = {
      logger: logger.with({ service: this.#wanted.url.service }),
      message: 'Cannot request the network service, retrying',
    }
    return retryUntilDone({ clock, retry: RETRY, signal, isRetried, log, onFailure }, () =>
      within({ clock, ms, signal }, (until) => services.request(asked, { signal: until })),
    )
  }

  /** Waits until a wire that is up needs a refresh or healing, and returns the request for it. */
  async #hold(connection: Connection): Promise<ConnectionRequest> {
    const { clock, monitor, logger } = this.#options
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#abort.signal, stop.signal])
    try {
      const fault = await Promise.race([
        clock.sleep(refreshDelayMs(connection, clock.nowMs()), signal).then(() => 'expiry' as const),
        waitForFault({ connection, monitor, onUp: () => this.#isUp(connection), clock, signal }),
      ])
      if (fault === 'outdated') await this.#pauseHealing() // whoever says so may say it again and again
      if (fault === 'expiry' || fault === 'unsure' || fault === 'outdated') {
        this.#become({ at: 'refreshing', connection })
        return refreshRequest(connection)
      }
      logger.warn('The wire is down, healing it', { service: connection.networkService, fault })
      await this.#pauseHealing()
      if (fault === 'closed') return this.#heal(connection)
      this.#becomeHealing(connection)
      return refreshRequest(connection) // the node knows that it is down, and tries other endpoints first
    } finally {
      stop.abort()
    }
  }

  /** The first time at once. A wire that is answered for, and is down again, is not asked for in a loop. */
  async #pauseHealing(): Promise<void> {
    const { clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#healedMs > STEADY_MS) this.#healing.reset()
    else await clock.sleep(this.#healing.next(), this.#abort.signal)
    this.#healedMs = clock.monotonicMs()
  }

  /** The pod would go on to send by its own network what it means to send by the wire. */
  #checkDefaultRoutes({ networkService, context }: Connection): void {
    const given = new Set(context.ip.srcRoutes.map(({ prefix }) => prefix))
    const missing = this.#wanted.url.defaultRoutes.filter((prefix) => !given.has(prefix))
    if (missing.length === 0) return
    this.#options.logger.warn('The endpoint does not give the default route that was asked for', {
      service: networkService,
      prefixes: missing.join(','),
    })
  }

  #isUp(connection: Connection): void {
    this.#wasUp = true
    this.#become({ at: 'up', connection })
    this.#first.resolve(connection)
  }

  #heal(connection: Connection): ConnectionRequest {
    this.#becomeHealing(connection)
    return reselectRequest(connection, this.#wanted.url)
  }

  #becomeHealing(connection: Connection): void {
    this.#wasUp = false
    this.#become({ at: 'healing', connection })
  }

  #become(state: KeptWireState): void {
    if (state.at !== this.#state.at) {
      this.#options.logger.info('The state of the wire changed', {
        from: this.#state.at,
        to: state.at,
        id: this.#wanted.id,
      })
    }
    this.#state = state
    this.#options.onState?.(state)
  }
}

/** Whether the wire must be requested again: the mesh refused to refresh it, or it expired while nobody answered. */
function isLost(error: unknown, connection: Connection, nowMs: number): boolean {
  const isAnswer = !isAway(error) && errorCode(error) !== 'resource_exhausted'
  const expiries = connection.path.segments.flatMap(({ expiresMs }) => (expiresMs === undefined ? [] : [expiresMs]))
  return connection.mechanism !== undefined && (isAnswer || Math.min(...expiries) <= nowMs)
}
