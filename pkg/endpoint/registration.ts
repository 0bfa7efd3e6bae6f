/** Keeps an endpoint and its services registered: renews at two thirds of the life, and again after a failure. */
import type { EndpointRegistryClient, Labels, NetworkServiceEndpoint, ServiceRegistryClient } from '../api/index.ts'
import { Backoff, type Clock, describeError, type Logger, withTimeout } from '../base/index.ts'

export interface RegistrationOptions {
  readonly name: string
  readonly services: readonly string[]
  readonly labels: Labels
  readonly payload: string
  readonly url: string
  /** Whether the network services are registered too, or somebody else does. */
  readonly isServiceRegistered: boolean
  readonly registries: { readonly services: ServiceRegistryClient; readonly endpoints: EndpointRegistryClient }
  readonly clock: Clock
  readonly logger: Logger
}

const CALL_TIMEOUT_MS = 5_000
const LEAST_RENEWAL_MS = 1_000
/** Where the registry says nothing of an expiry. */
const FALLBACK_MS = 60_000

export class Registration {
  readonly #options: RegistrationOptions
  readonly #abort = new AbortController()
  readonly #first = Promise.withResolvers<NetworkServiceEndpoint>()
  readonly #running: Promise<void>
  #registered: NetworkServiceEndpoint | undefined

  constructor(options: RegistrationOptions) {
    this.#options = options
    this.#first.promise.catch(() => {})
    this.#running = this.#run()
  }

  /** Resolves with the first answer of the registry. */
  get done(): Promise<NetworkServiceEndpoint> {
    return this.#first.promise
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
    if (this.#registered === undefined) return
    const { registries, logger } = this.#options
    const outcome = registries.endpoints.unregister(this.#registered, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
    await outcome.catch((error: unknown) =>
      logger.warn('Cannot unregister: it will expire', { error: describeError(error) }),
    )
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options
    const { signal } = this.#abort
    const backoff = new Backoff({ firstMs: 200, mostMs: 5_000 })
    try {
      for (;;) {
        await clock.sleep(await this.#registerOnce(backoff), signal)
      }
    } catch (error) {
      if (!signal.aborted) logger.error('Registration ended', { error: describeError(error) })
      this.#first.reject(error)
    }
  }

  /** @returns milliseconds until the next time */
  async #registerOnce(backoff: Backoff): Promise<number> {
    const { clock, logger } = this.#options
    try {
      const registered = await this.#register(withTimeout(this.#abort.signal, CALL_TIMEOUT_MS))
      if (this.#registered === undefined) logger.info('Endpoint registered', { endpoint: registered.name })
      this.#registered = registered
      this.#first.resolve(registered)
      backoff.reset()
      const leftMs = registered.expiresMs === undefined ? FALLBACK_MS : registered.expiresMs - clock.nowMs()
      return Math.max(LEAST_RENEWAL_MS, (leftMs * 2) / 3)
    } catch (error) {
      this.#abort.signal.throwIfAborted()
      logger.warn('Cannot register: trying again', { error: describeError(error) })
      return backoff.next()
    }
  }

  async #register(signal: AbortSignal): Promise<NetworkServiceEndpoint> {
    const { name, services, labels, payload, url, registries, isServiceRegistered } = this.#options
    for (const service of isServiceRegistered ? services : []) {
      await registries.services.register({ name: service, payload, matches: [], pathIds: [] }, { signal })
    }
    const endpoint: NetworkServiceEndpoint = {
      name: this.#registered?.name ?? name,
      networkServiceNames: services,
      networkServiceLabels: new Map(services.map((service) => [service, labels])),
      url,
      expiresMs: undefined,
      registeredMs: this.#registered?.registeredMs,
      pathIds: [],
    }
    return registries.endpoints.register(endpoint, { signal })
  }
}
