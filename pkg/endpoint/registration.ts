/** Keeps an endpoint and its services registered: renews at two thirds of the life, and retries after a failure. */
import type { EndpointRegistryClient, Labels, NetworkServiceEndpoint, ServiceRegistryClient } from '../api/index.ts'
import { type Clock, describeError, type Logger, retryUntilDone, within } from '../base/index.ts'

export interface RegistrationOptions {
  readonly name: string
  readonly services: readonly string[]
  readonly labels: Labels
  readonly payload: string
  readonly url: string
  /** Whether to register the network services too; else somebody else does. */
  readonly isServiceRegistered: boolean
  /** Leaves a network service as it is that somebody, such as an operator, has registered already. */
  readonly keepsServices?: boolean
  readonly registries: { readonly services: ServiceRegistryClient; readonly endpoints: EndpointRegistryClient }
  /** Told of each registration that fails. It must not throw. */
  readonly onFailure?: (error: unknown) => void
  readonly clock: Clock
  readonly logger: Logger
}

const RETRY = { firstMs: 200, maxMs: 5_000 }
const CALL_MS = 5_000
const MIN_RENEWAL_MS = 1_000
/** Where the registry names no expiry. */
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

  /** Stops renewing it: the endpoint stays registered until that expires, for whoever registers it again. */
  async leave(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  async close(): Promise<void> {
    await this.leave()
    const registered = this.#registered
    if (registered === undefined) return
    const { registries, clock, logger } = this.#options
    const unregister = (signal: AbortSignal) => registries.endpoints.unregister(registered, { signal })
    await within({ clock, ms: CALL_MS }, unregister).catch((error: unknown) =>
      logger.warn('Cannot unregister the endpoint: it will expire', { error: describeError(error) }),
    )
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options
    const { signal } = this.#abort
    const log = { logger, message: 'Cannot register the endpoint: trying again' }
    const onFailure = (error: unknown) => this.#options.onFailure?.(error)
    const retry = { clock, retry: RETRY, signal, isRetried: () => true, log, onFailure }
    try {
      for (;;) {
        const registered = await retryUntilDone(retry, () =>
          within({ clock, ms: CALL_MS, signal }, (until) => this.#register(until)),
        )
        this.#onRegistered(registered)
        await clock.sleep(renewalMs(registered, clock.nowMs()), signal)
      }
    } catch (error) {
      if (!signal.aborted) logger.error('Registration ended', { error: describeError(error) })
      this.#first.reject(error)
    }
  }

  #onRegistered(registered: NetworkServiceEndpoint): void {
    if (this.#registered === undefined) this.#options.logger.info('Endpoint registered', { endpoint: registered.name })
    this.#registered = registered
    this.#first.resolve(registered)
  }

  async #register(signal: AbortSignal): Promise<NetworkServiceEndpoint> {
    const { name, services, labels, url, registries, isServiceRegistered } = this.#options
    for (const service of isServiceRegistered ? services : []) await this.#registerService(service, signal)
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

  async #registerService(name: string, signal: AbortSignal): Promise<void> {
    const { registries, payload, keepsServices } = this.#options
    if (keepsServices === true) {
      for await (const { value } of registries.services.find({ service: { name }, watch: false }, { signal })) {
        if (value.name === name) return
      }
    }
    await registries.services.register({ name, payload, matches: [], pathIds: [] }, { signal })
  }
}

/** Milliseconds until the next registration. */
function renewalMs({ expiresMs }: NetworkServiceEndpoint, nowMs: number): number {
  const leftMs = expiresMs === undefined ? FALLBACK_MS : expiresMs - nowMs
  return Math.max(MIN_RENEWAL_MS, (leftMs * 2) / 3)
}
