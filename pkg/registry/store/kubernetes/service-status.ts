/**
 * Tells people how many endpoints serve a service, in the status of its object. It follows what the registry knows by a
 * second or two, so that a restart of many endpoints costs one write for each service. Every registry of the domain tells
 * it; where they see the same, the API server has nothing to change.
 */
import { type Clock, describeError, type Logger } from '../../../base/index.ts'
import { type KubeClient, objectNameOf, unlessOutdated } from '../../../kube/index.ts'
import { serviceResource } from './service-object.ts'

const PAUSE_MS = 1_000
const RETRY_MS = 30_000

export interface ServiceStatusOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Undefined for a service that nobody has registered. */
  readonly countOf: (service: string) => number | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export class ServiceStatus {
  readonly #options: ServiceStatusOptions
  readonly #told = new Map<string, number>()
  readonly #changed = new Set<string>()
  #cancel: (() => void) | undefined
  #telling = Promise.resolve()
  #isClosed = false

  constructor(options: ServiceStatusOptions) {
    this.#options = options
  }

  /** The object of the service has changed, and may be another one. */
  objectChanged(service: string): void {
    this.#told.delete(service)
    this.endpointsChanged([service])
  }

  endpointsChanged(services: readonly string[]): void {
    for (const service of services) this.#change(service)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#telling
  }

  #change(service: string, pauseMs = PAUSE_MS): void {
    if (this.#isClosed) return
    this.#changed.add(service)
    this.#cancel ??= this.#options.clock.after(pauseMs * (1 + Math.random()), () => {
      this.#cancel = undefined
      this.#telling = this.#telling.then(() => this.#tell())
    })
  }

  async #tell(): Promise<void> {
    const { logger } = this.#options
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const service of changed) {
      try {
        await this.#tellOf(service)
      } catch (error) {
        logger.warn('Cannot tell how many endpoints serve a service', { service, error: describeError(error) })
        this.#change(service, RETRY_MS)
      }
    }
  }

  async #tellOf(service: string): Promise<void> {
    const { client, namespace, countOf } = this.#options
    const endpoints = countOf(service)
    if (endpoints === undefined) this.#told.delete(service)
    if (endpoints === undefined || endpoints === this.#told.get(service)) return
    const key = { namespace, name: objectNameOf(service) }
    const body = { status: { endpoints } }
    await unlessOutdated(client.patch(serviceResource, key, { type: 'merge', subresource: 'status', body }))
    this.#told.set(service, endpoints)
  }
}
