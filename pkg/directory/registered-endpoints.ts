/**
 * The endpoints that registered through this node: by name their real URL, which nobody else learns. Durable, so that a
 * restarted node reaches them before they register again.
 */
import type { NetworkServiceEndpoint } from '../api/index.ts'
import { type Clock, Deadlines, errorCode, Listeners } from '../base/index.ts'
import { Keepers } from '../connections/index.ts'

export interface RegisteredEndpoint {
  /** Its own, `unix:///path` or `inode://<dev>/<ino>`. */
  readonly url: string
  /** SPIFFE ID of the workload that registered it. */
  readonly owner: string
  readonly networkServiceNames: readonly string[]
  /** As the registry has it. */
  readonly endpoint: NetworkServiceEndpoint
  readonly expiresMs: number
}

export interface EndpointStore {
  load(): Iterable<RegisteredEndpoint>
  put(endpoint: RegisteredEndpoint): void
  delete(name: string): void
}

/** Endpoints could not register again while the daemon was down. */
const GRACE_MS = 60_000

export class RegisteredEndpoints {
  /** The programs that registered them. */
  readonly keepers = new Keepers()
  readonly #store: EndpointStore
  readonly #endpoints = new Map<string, RegisteredEndpoint>()
  readonly #deadlines: Deadlines
  readonly #listeners = new Listeners<[name: string, isThere: boolean]>()

  constructor(store: EndpointStore, clock: Clock) {
    this.#store = store
    this.#deadlines = new Deadlines(clock, (name) => this.delete(name))
    const soonestMs = clock.nowMs() + GRACE_MS
    for (const registered of store.load()) this.#remember(registered, Math.max(registered.expiresMs, soonestMs))
  }

  get(name: string): RegisteredEndpoint | undefined {
    return this.#endpoints.get(name)
  }

  all(): Iterable<RegisteredEndpoint> {
    return this.#endpoints.values()
  }

  /** An endpoint that cannot be written, to a full disk, is known until a restart; then it registers again. */
  save(registered: RegisteredEndpoint): void {
    this.#onDisk(() => this.#store.put(registered))
    const { name } = registered.endpoint
    const isNew = !this.#endpoints.has(name)
    this.#remember(registered, registered.expiresMs)
    if (isNew) this.#tell(name, true)
  }

  delete(name: string): void {
    this.#onDisk(() => this.#store.delete(name))
    this.keepers.forget(name)
    this.#deadlines.clear(name)
    if (this.#endpoints.delete(name)) this.#tell(name, false)
  }

  /** Calls back when an endpoint is no longer registered, and when one is. */
  subscribe(listener: (name: string, isThere: boolean) => void): () => void {
    return this.#listeners.add(listener)
  }

  close(): void {
    this.#deadlines.close()
  }

  /** What a full disk holds too much or too little ends within minutes of a restart. The database tells of it. */
  #onDisk(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (errorCode(error) === 'internal') throw error
    }
  }

  #tell(name: string, isThere: boolean): void {
    this.#listeners.tell(name, isThere)
  }

  #remember(registered: RegisteredEndpoint, untilMs: number): void {
    const { name } = registered.endpoint
    this.#endpoints.set(name, registered)
    this.#deadlines.set(name, untilMs)
  }
}
