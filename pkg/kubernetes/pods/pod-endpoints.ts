/**
 * The endpoints that this daemon answers for itself, by the URLs under which they are registered at this node. While the
 * pods are still being taken up after a start, whoever looks for one waits: it stands, and only its answers are missing.
 */
import type { MonitorClient, NetworkServiceClient } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { fullName, type Pod } from './pod.ts'

export interface PodEndpoint {
  readonly client: NetworkServiceClient
  readonly monitor: MonitorClient
  readonly spiffeId: string
  /** The network namespace in which the wires end. */
  readonly namespace: string
}

/** Only the pod itself, and whoever speaks for it, may register under this URL. */
export function podEndpointUrl(pod: Pod): string {
  return `pod://${pod.uid}/${fullName(pod)}`
}

export class PodEndpoints {
  readonly #endpoints = new Map<string, PodEndpoint>()
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>()
  #isSettled = false

  /** Returns the function that removes it. */
  add(url: string, endpoint: PodEndpoint): () => void {
    this.#endpoints.set(url, endpoint)
    this.#wake(url)
    return () => {
      if (this.#endpoints.get(url) === endpoint) this.#endpoints.delete(url)
    }
  }

  /** From now on, what is not there is gone. */
  settle(): void {
    this.#isSettled = true
    for (const url of [...this.#waiting.keys()]) this.#wake(url)
  }

  /** @throws {NsmError} `unavailable` where there is none */
  async find(url: string, signal: AbortSignal): Promise<PodEndpoint> {
    if (!this.#isSettled && !this.#endpoints.has(url)) await this.#appears(url, signal)
    const endpoint = this.#endpoints.get(url)
    if (endpoint !== undefined) return endpoint
    throw new NsmError('unavailable', 'Cannot connect the endpoint: its pod does not serve at the moment', {
      fields: { url },
    })
  }

  async #appears(url: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const waiting = this.#waiting.get(url) ?? Promise.withResolvers<void>()
    this.#waiting.set(url, waiting)
    const aborted = Promise.withResolvers<void>()
    const onAbort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([waiting.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #wake(url: string): void {
    this.#waiting.get(url)?.resolve()
    this.#waiting.delete(url)
  }
}
