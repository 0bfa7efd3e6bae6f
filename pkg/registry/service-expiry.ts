import { type Clock, describeError, type KeyedQueue, type Logger } from '../base/index.ts'
import type { RegistryStore } from './store/registry-store.ts'

/** How long a service stays that nobody serves and nobody registers again. */
export const UNSERVED_MS = 3_600_000
const SWEEP_MS = 10 * 60_000

export interface ServiceExpiryOptions {
  readonly store: RegistryStore
  readonly queue: KeyedQueue
  readonly clock: Clock
  readonly logger: Logger
}

/** Removes services that nobody serves any more: their names would belong for ever to whoever had them once. */
export class ServiceExpiry {
  readonly #options: ServiceExpiryOptions
  /** Since when we know that nobody serves it. */
  readonly #unserved = new Map<string, number>()
  #cancel: () => void

  constructor(options: ServiceExpiryOptions) {
    this.#options = options
    this.#cancel = this.#later()
  }

  /** Somebody who may serve it registers it, for the first time or again. */
  keep(name: string): void {
    this.#unserved.delete(name)
  }

  close(): void {
    this.#cancel()
    this.#cancel = () => {}
  }

  #later(): () => void {
    const { clock, queue, logger } = this.#options
    return clock.after(SWEEP_MS, () => {
      queue
        .run('register', () => this.#sweep())
        .catch((error: unknown) => logger.warn('Cannot remove services yet', { error: describeError(error) }))
      this.#cancel = this.#later()
    })
  }

  async #sweep(): Promise<void> {
    const { store, clock, logger } = this.#options
    const nowMs = clock.monotonicMs()
    const { values } = await store.services.list({})
    // What has no owner was written by an administrator.
    const names = new Set(values.filter(({ pathIds }) => pathIds.length > 0).map(({ name }) => name))
    for (const name of [...this.#unserved.keys()]) if (!names.has(name)) this.#unserved.delete(name)
    for (const name of names) {
      if ((await store.endpoints.ownersServing(name)).length > 0) this.#unserved.delete(name)
      else if (nowMs - this.#since(name, nowMs) >= UNSERVED_MS) {
        await store.services.remove(name)
        this.#unserved.delete(name)
        logger.info('Removed a network service: nobody has served it for an hour', { networkService: name })
      }
    }
  }

  #since(name: string, nowMs: number): number {
    const sinceMs = this.#unserved.get(name) ?? nowMs
    this.#unserved.set(name, sinceMs)
    return sinceMs
  }
}
