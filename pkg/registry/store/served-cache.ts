/**
 * The endpoints of the services that were asked for lately, as they were read: to be asked for the same hundred endpoints
 * by many at once costs one reading, and the values are the same objects, so that they are encoded once, too.
 */
import type { NetworkServiceEndpoint } from '../../api/index.ts'

/** About a kilobyte each. */
const MAX_ENDPOINTS = 10_000

export class ServedCache {
  /** The service that was asked for last is the last. */
  readonly #read = new Map<string, readonly NetworkServiceEndpoint[]>()
  #size = 0

  get(service: string): readonly NetworkServiceEndpoint[] | undefined {
    const endpoints = this.#read.get(service)
    if (endpoints === undefined) return undefined
    this.#read.delete(service)
    this.#read.set(service, endpoints)
    return endpoints
  }

  keep(service: string, endpoints: readonly NetworkServiceEndpoint[]): readonly NetworkServiceEndpoint[] {
    this.forget(service)
    this.#read.set(service, endpoints)
    this.#size += endpoints.length
    for (const oldest of this.#read.keys()) {
      if (this.#size <= MAX_ENDPOINTS) break
      this.forget(oldest)
    }
    return endpoints
  }

  forget(service: string): void {
    this.#size -= this.#read.get(service)?.length ?? 0
    this.#read.delete(service)
  }
}
