/**
 * The endpoints that registered through this node: by name their real URL, which nobody else learns. Durable, so that a
 * restarted node can reach them before they register again.
 */
import type { NetworkServiceEndpoint } from '../api/index.ts'
import type { Clock } from '../base/index.ts'
import type { LocalEndpoint } from './candidates.ts'

export interface RegisteredEndpoint extends LocalEndpoint {
  /** As the registry has it. */
  readonly endpoint: NetworkServiceEndpoint
  readonly expiresMs: number
}

export interface EndpointStore {
  load(): Iterable<RegisteredEndpoint>
  put(endpoint: RegisteredEndpoint): void
  delete(name: string): void
}

/** Endpoints could not register again while the daemon was away. */
const GRACE_MS = 60_000

export class RegisteredEndpoints {
  readonly #store: EndpointStore
  readonly #clock: Clock
  readonly #endpoints = new Map<string, RegisteredEndpoint>()
  readonly #timers = new Map<string, () => void>()

  constructor(store: EndpointStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
    for (const registered of store.load()) this.#remember(registered, clock.nowMs() + GRACE_MS)
  }

  get(name: string): RegisteredEndpoint | undefined {
    return this.#endpoints.get(name)
  }

  all(): Iterable<RegisteredEndpoint> {
    return this.#endpoints.values()
  }

  /** @throws {NsmError} as the store does; then nothing has changed. */
  save(registered: RegisteredEndpoint): void {
    this.#store.put(registered)
    this.#remember(registered, 0)
  }

  delete(name: string): void {
    this.#store.delete(name)
    this.#endpoints.delete(name)
    this.#timers.get(name)?.()
    this.#timers.delete(name)
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #remember(registered: RegisteredEndpoint, soonestMs: number): void {
    const { name } = registered.endpoint
    this.#endpoints.set(name, registered)
    this.#timers.get(name)?.()
    const atMs = Math.max(registered.expiresMs, soonestMs)
    this.#timers.set(
      name,
      this.#clock.after(atMs - this.#clock.nowMs(), () => this.delete(name)),
    )
  }
}
