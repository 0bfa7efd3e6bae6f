/**
 * A copy in memory of the objects of one kind, which follows the API server.
 *
 *     list --> watch --> watch --> ...       a watch ends about once a minute, and the next one goes on where it ended
 *       ^        |
 *       '--------'  410 Gone: the server has forgotten what changed since; what differs is then told as changes
 *
 * While the API server is away the copy stays as it was, and the informer tries again with back-off and jitter.
 */
import {
  type BackoffOptions,
  type Clock,
  describeError,
  follow,
  Listeners,
  type Logger,
  limitedLogger,
  NsmError,
} from '../base/index.ts'
import type { ListOptions, WatchOptions } from './client.ts'
import { GoneError, KubeError } from './errors.ts'
import { type KubeObject, keyOf, type ObjectList, type Resource, type Selection, type WatchEvent } from './objects.ts'

const RETRY = { firstMs: 200, maxMs: 30_000 }
const MAX_REST_MS = 30_000
const MOST_OBJECTS = 50_000

export interface ObjectChange<V> {
  /** `namespace/name`, or `name` alone. */
  readonly key: string
  /** At which it was seen. */
  readonly resourceVersion: string
  /** Undefined: the object is new. */
  readonly before: V | undefined
  /** Undefined: the object is gone. */
  readonly value: V | undefined
}

/** A {@link KubeClient}. */
export interface ObjectSource<T extends KubeObject> {
  pages(resource: Resource<T>, options: ListOptions): AsyncIterable<ObjectList<T>>
  watch(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>
}

export interface InformerOptions<T extends KubeObject, V> extends Selection {
  readonly client: ObjectSource<T>
  readonly resource: Resource<T>
  /** What is kept of an object; undefined leaves it out. */
  readonly read: (object: T) => V | undefined
  /** More objects than this are not followed. */
  readonly most?: number
  /** Objects in a page of the list. */
  readonly limit?: number
  /** Pauses while the API server is away: long by default, because every node has informers. */
  readonly retry?: BackoffOptions
  readonly clock: Clock
  readonly logger: Logger
}

interface Kept<V> {
  readonly value: V
  readonly resourceVersion: string
}

export class Informer<T extends KubeObject, V> {
  readonly #options: InformerOptions<T, V>
  readonly #objects = new Map<string, Kept<V>>()
  readonly #listeners = new Listeners<[ObjectChange<V>]>()
  readonly #moved = new Listeners<[]>()
  readonly #stop = new AbortController()
  readonly #logger: ReturnType<typeof limitedLogger>
  readonly #done: Promise<void>
  /** Undefined: everything has to be listed. */
  #resourceVersion: string | undefined
  #isSynced = false
  /** Since when nothing is heard of the API server; undefined while it is watched. */
  #awaySinceMs: number | undefined

  /** Starts at once. */
  constructor(options: InformerOptions<T, V>) {
    const { clock, logger, resource, retry = RETRY } = options
    this.#options = options
    this.#awaySinceMs = clock.monotonicMs()
    this.#logger = limitedLogger(logger.with({ resource: resource.plural }), { clock })
    const log = { logger: this.#logger, message: 'Cannot follow the API server: trying again' }
    const signal = this.#stop.signal
    this.#done = follow({ clock, retry, signal, log }, (works) => this.#attempt(works))
  }

  /** Whether the copy was complete once. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Whether the API server answers, as far as is known. */
  get isWatching(): boolean {
    return this.#awaySinceMs === undefined
  }

  /** For how long the API server has not been watched. */
  get awayMs(): number {
    return this.#awaySinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#awaySinceMs
  }

  /** Everything up to here is in the copy. '0' before the first list. */
  get resourceVersion(): string {
    return this.#resourceVersion ?? '0'
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): V | undefined {
    return this.#objects.get(key)?.value
  }

  *entries(): Generator<readonly [string, V]> {
    for (const [key, { value }] of this.#objects) yield [key, value]
  }

  /** Tells each change after it is in the copy, the first list included. Returns the function that ends it. */
  subscribe(listener: (change: ObjectChange<V>) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Resolves when the copy is complete. */
  synced(signal?: AbortSignal): Promise<void> {
    return this.until(() => this.#isSynced, signal)
  }

  /** Resolves once `condition` holds. It is asked again after each change and bookmark. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    either.throwIfAborted()
    if (condition()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => reject(either.reason)
    const end = this.#moved.add(() => condition() && resolve())
    either.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      end()
      either.removeEventListener('abort', onAbort)
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new NsmError('cancelled', 'Cannot continue: the informer is closing'))
    await this.#done
    this.#logger.close()
    this.#listeners.clear()
  }

  async #attempt(works: () => void): Promise<void> {
    try {
      if (this.#resourceVersion === undefined) {
        await this.#list()
        works()
      }
      while (await this.#watch()) works()
      works()
    } catch (error) {
      if (error instanceof GoneError) this.#resourceVersion = undefined
      else throw await this.#rested(error)
    } finally {
      this.#awaySinceMs ??= this.#options.clock.monotonicMs()
    }
  }

  /** A server that has too much to do says how long it wants to be left alone. */
  async #rested(error: unknown): Promise<unknown> {
    const ms = error instanceof KubeError ? Math.min(error.retryAfterMs, MAX_REST_MS) : 0
    if (ms > 0) await this.#options.clock.sleep(ms, this.#stop.signal)
    return error
  }

  async #list(): Promise<void> {
    const { client, resource, most = MOST_OBJECTS } = this.#options
    const listed = new Map<string, Kept<V>>()
    let resourceVersion = ''
    for await (const page of client.pages(resource, { ...this.#options, signal: this.#stop.signal })) {
      resourceVersion = page.resourceVersion
      for (const object of page.items) {
        const value = this.#read(object)
        if (value === undefined) continue
        listed.set(keyOf(object), { value, resourceVersion: object.metadata.resourceVersion ?? resourceVersion })
      }
      if (listed.size > most) throw tooMany(resource.plural, most)
    }
    const gone = [...this.#objects.keys()].filter((key) => !listed.has(key))
    this.#resourceVersion = resourceVersion
    for (const key of gone) this.#drop(key, resourceVersion)
    for (const [key, kept] of listed) this.#keep(key, kept)
    this.#isSynced = true
    this.#moved.tell()
  }

  /** Until the server ends the watch. Resolves to whether anything came. */
  async #watch(): Promise<boolean> {
    const { client, resource } = this.#options
    const resourceVersion = this.resourceVersion
    let hasCome = false
    const signal = this.#stop.signal
    const onOpen = () => {
      this.#awaySinceMs = undefined
    }
    for await (const event of client.watch(resource, { ...this.#options, resourceVersion, onOpen, signal })) {
      hasCome = true
      this.#take(event)
      this.#moved.tell()
    }
    return hasCome
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion
      return
    }
    const { object, type } = event
    const { resourceVersion = this.resourceVersion } = object.metadata
    const value = type === 'DELETED' ? undefined : this.#read(object)
    this.#resourceVersion = resourceVersion
    if (value === undefined) this.#drop(keyOf(object), resourceVersion)
    else this.#keep(keyOf(object), { value, resourceVersion })
    const { most = MOST_OBJECTS } = this.#options
    if (this.#objects.size <= most) return
    this.#resourceVersion = undefined
    throw tooMany(this.#options.resource.plural, most)
  }

  #read(object: T): V | undefined {
    try {
      return this.#options.read(object)
    } catch (error) {
      this.#logger.warn('Cannot read an object: leaving it out', { key: keyOf(object), error: describeError(error) })
      return undefined
    }
  }

  #keep(key: string, kept: Kept<V>): void {
    const before = this.#objects.get(key)
    if (before?.resourceVersion === kept.resourceVersion) return
    this.#objects.set(key, kept)
    const { value, resourceVersion } = kept
    this.#listeners.tell({ key, resourceVersion, before: before?.value, value })
  }

  #drop(key: string, resourceVersion: string): void {
    const before = this.#objects.get(key)
    if (before === undefined) return
    this.#objects.delete(key)
    this.#listeners.tell({ key, resourceVersion, before: before.value, value: undefined })
  }
}

function tooMany(resource: string, most: number): NsmError {
  return new NsmError('resource_exhausted', 'Cannot follow the API server: there are too many objects', {
    fields: { resource, most },
  })
}
