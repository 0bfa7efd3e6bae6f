/**
 * The API of Kubernetes, as far as nsmesh needs it: typed calls for single objects, lists in pages, and watches.
 * What a call does with its errors is up to the caller; only {@link Informer} tries again by itself.
 */
import { type Clock, within } from '../base/index.ts'
import { refusal, type Status } from './errors.ts'
import type { KubeObject, ObjectKey, ObjectList, Resource, Selection, WatchEvent } from './objects.ts'
import { type Query, resourcePath } from './path.ts'
import { readLines, readText } from './read-body.ts'
import type { Answer, Exchange, Transport } from './transport.ts'

const CALL_MS = 10_000
/** An object is at most 1.5 MiB, as etcd stores it. */
const MAX_OBJECT_BYTES = 8 * 2 ** 20
const MAX_PAGE_BYTES = 64 * 2 ** 20
const PAGE_OBJECTS = 250
/** How long a watch lasts before it is opened anew, so that a connection that broke without a word is noticed. */
const WATCH_SECONDS = 60
const WATCH_GRACE_MS = 10_000

const PATCHES = {
  merge: 'application/merge-patch+json',
  /** Merges lists by their keys, for instance conditions by type. Not for custom resources. */
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** A part of the object with an address of its own: `status`. */
  readonly subresource?: string
}

export interface PatchOptions extends CallOptions {
  readonly type: keyof typeof PATCHES
  readonly body: unknown
}

/** Conditions under which an object is removed; others get {@link ConflictError}. */
export interface RemoveOptions extends CallOptions {
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface ListOptions extends Selection {
  /** Objects in a page. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

export interface WatchOptions extends Selection {
  /** The changes after this one. */
  readonly resourceVersion: string
  /** Called when the API server has answered. */
  readonly onOpen?: () => void
  readonly signal: AbortSignal
}

export interface KubeClientOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

export class KubeClient {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #random: () => number

  constructor({ transport, clock, random = Math.random }: KubeClientOptions) {
    this.#transport = transport
    this.#clock = clock
    this.#random = random
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.#call({ method: 'GET', path: resourcePath(resource, { ...options, ...key }) }, options)
  }

  /** @returns the object as it was written, for instance with its `metadata.resourceVersion` */
  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata
    // A subresource belongs to an object that exists, so its path has the name.
    const key = options.subresource === undefined ? { namespace } : { namespace, name }
    const path = resourcePath(resource, { ...options, ...key })
    return this.#call({ method: 'POST', path, body: encode(resource, object) }, options)
  }

  /** Replaces the object if it is still at `metadata.resourceVersion`; without that, in any case. */
  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    const path = resourcePath(resource, { ...options, ...object.metadata })
    return this.#call({ method: 'PUT', path, body: encode(resource, object) }, options)
  }

  async patch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: PatchOptions): Promise<T> {
    const path = resourcePath(resource, { ...options, ...key })
    const contentType = PATCHES[options.type]
    return this.#call({ method: 'PATCH', path, contentType, body: JSON.stringify(options.body) }, options)
  }

  async remove(resource: Resource<KubeObject>, key: ObjectKey, options: RemoveOptions = {}): Promise<void> {
    const { uid, resourceVersion } = options
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } })
    await this.#call({ method: 'DELETE', path: resourcePath(resource, { ...options, ...key }), body }, options)
  }

  /** All pages together. */
  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const items: T[] = []
    let resourceVersion = ''
    for await (const page of this.pages(resource, options)) {
      items.push(...page.items)
      resourceVersion = page.resourceVersion
    }
    return { resourceVersion, items }
  }

  /** A list page by page: all of them are one picture of the cluster, with one resource version. */
  async *pages<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): AsyncGenerator<ObjectList<T>> {
    let next = ''
    do {
      const query = { ...selectionQuery(options), limit: options.limit ?? PAGE_OBJECTS, continue: next }
      const path = resourcePath(resource, options, query)
      const page: Page<T> = await this.#call({ method: 'GET', path, maxBytes: MAX_PAGE_BYTES }, options)
      yield { resourceVersion: page.metadata.resourceVersion, items: page.items ?? [] }
      next = page.metadata.continue ?? ''
    } while (next !== '')
  }

  /**
   * Yields the changes after a resource version, and bookmarks. It ends after about a minute, as the server does: go on
   * from the last resource version.
   * @throws {GoneError} when the server has forgotten what changed since
   */
  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { resourceVersion, signal } = options
    const seconds = Math.round(WATCH_SECONDS * (0.75 + this.#random() / 2))
    const path = resourcePath(resource, options, {
      ...selectionQuery(options),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: seconds,
    })
    const stop = new AbortController()
    const cancel = this.#clock.after(seconds * 1_000 + WATCH_GRACE_MS, () => stop.abort(silence(path)))
    const either = AbortSignal.any([signal, stop.signal])
    try {
      const { body } = await this.#exchange({ method: 'GET', path, isWatch: true, signal: either })
      options.onOpen?.()
      for await (const line of readLines(body, MAX_OBJECT_BYTES)) yield readEvent<T>(line, path)
    } finally {
      cancel()
      stop.abort()
    }
  }

  close(): void {
    this.#transport.close()
  }

  /** One answer, whole, within {@link CALL_MS}. */
  #call<A>(call: Omit<Exchange, 'signal'> & { readonly maxBytes?: number }, { signal }: CallOptions): Promise<A> {
    const { maxBytes = MAX_OBJECT_BYTES, ...exchange } = call
    return within({ clock: this.#clock, ms: CALL_MS, signal }, async (limit) => {
      const { body } = await this.#exchange({ ...exchange, signal: limit })
      return JSON.parse(await readText(body, maxBytes))
    })
  }

  /** @throws {KubeError} when the server refuses */
  async #exchange(exchange: Exchange): Promise<Answer> {
    const answer = await this.#transport.exchange(exchange)
    if (answer.status >= 200 && answer.status < 300) return answer
    const call = `${exchange.method} ${exchange.path}`
    throw refusal(answer.status, { status: readStatus(await readText(answer.body, MAX_OBJECT_BYTES)), call })
  }
}

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items?: readonly T[]
}

function selectionQuery({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector, fieldSelector }
}

function encode(resource: Resource<KubeObject>, object: KubeObject): string {
  const { group, version, kind } = resource
  return JSON.stringify({ ...object, apiVersion: group === '' ? version : `${group}/${version}`, kind })
}

/** What a proxy in between says is no Status: its text is then the message. */
function readStatus(text: string): Status {
  try {
    return JSON.parse(text)
  } catch {
    return { message: text }
  }
}

/** @throws {KubeError} for the event by which the server ends a watch */
function readEvent<T extends KubeObject>(line: string, path: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line)
  if (type === 'ERROR') throw refusal(object.code ?? 500, { status: object, call: `WATCH ${path}` })
  return type === 'BOOKMARK' ? { type, resourceVersion: object.metadata.resourceVersion } : { type, object }
}

function silence(path: string): Error {
  const status = { message: 'the watch did not end when it should have' }
  return refusal(504, { status, call: `WATCH ${path}` })
}
