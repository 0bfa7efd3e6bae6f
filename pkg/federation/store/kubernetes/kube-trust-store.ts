/**
 * The trust store as objects of Kubernetes, in one namespace, which several registries share. Revisions are resource
 * versions, and the history is that of the API server.
 */
import { type KubeClient, type KubeObject, unlessOutdated, type WatchEvent } from '../../../kube/index.ts'
import { isOfKind, type RecordKind, type RecordOf, type TrustRecord } from '../trust-record.ts'
import type { RecordKey, Stored, TrustChange, TrustSnapshot, TrustStore } from '../trust-store.ts'
import {
  fromTrustObject,
  isRecord,
  type TrustObject,
  toTrustObject,
  trustObjectName,
  trustResource,
} from './trust-object.ts'

/** Records may be large: a page has to be read at once. */
const PAGE_RECORDS = 50

export interface KubeTrustStoreOptions {
  readonly client: KubeClient
  readonly namespace: string
}

export function kubeTrustStore(options: KubeTrustStoreOptions): TrustStore {
  return new KubeTrustStore(options)
}

class KubeTrustStore implements TrustStore {
  readonly #client: KubeClient
  readonly #namespace: string

  constructor({ client, namespace }: KubeTrustStoreOptions) {
    this.#client = client
    this.#namespace = namespace
  }

  async list(): Promise<TrustSnapshot> {
    const options = { namespace: this.#namespace, limit: PAGE_RECORDS }
    const { resourceVersion, items } = await this.#client.list(trustResource, options)
    return { revision: Number(resourceVersion), records: items.filter(isRecord).map(stored) }
  }

  async get<K extends RecordKind>(kind: K, name: string): Promise<Stored<RecordOf<K>> | undefined> {
    const object = await unlessOutdated(this.#client.get(trustResource, this.#place({ kind, name })))
    if (object === undefined) return undefined
    const { record, revision } = stored(object)
    return isOfKind(kind, record) ? { record, revision } : undefined
  }

  async put(record: TrustRecord, expected: number): Promise<number | undefined> {
    const namespace = this.#namespace
    const written = await unlessOutdated(
      expected === 0
        ? this.#client.create(trustResource, toTrustObject(record, { namespace }))
        : this.#client.update(trustResource, toTrustObject(record, { namespace, resourceVersion: `${expected}` })),
    )
    return written && revisionOf(written)
  }

  /** The API server does not say at which version an object was removed, except to those who watch. */
  async remove(key: RecordKey, expected: number): Promise<number | undefined> {
    const namespace = this.#namespace
    const { resourceVersion } = await this.#client.list(trustResource, {
      namespace,
      fieldSelector: `metadata.name=${trustObjectName(key)}`,
    })
    const isRemoved = await unlessOutdated(this.#removed(key, expected))
    return isRemoved === true ? this.#removedAt(key, resourceVersion) : undefined
  }

  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<TrustChange> {
    let resourceVersion = `${revision}`
    while (!signal.aborted) {
      for await (const event of this.#events({ resourceVersion, signal })) {
        resourceVersion = event.type === 'BOOKMARK' ? event.resourceVersion : `${revisionOf(event.object)}`
        if (event.type !== 'BOOKMARK' && isRecord(event.object)) yield changeOf(event)
      }
    }
  }

  /** Ends when `signal` aborts, as watches of every store do. */
  async *#events(options: { resourceVersion: string; signal: AbortSignal }): AsyncGenerator<WatchEvent<TrustObject>> {
    try {
      yield* this.#client.watch(trustResource, { namespace: this.#namespace, ...options })
    } catch (error) {
      if (!options.signal.aborted) throw error
    }
  }

  async #removed(key: RecordKey, expected: number): Promise<true> {
    await this.#client.remove(trustResource, this.#place(key), { resourceVersion: `${expected}` })
    return true
  }

  async #removedAt(key: RecordKey, resourceVersion: string): Promise<number | undefined> {
    const stop = new AbortController()
    const fieldSelector = `metadata.name=${trustObjectName(key)}`
    const options = { namespace: this.#namespace, fieldSelector, resourceVersion, signal: stop.signal }
    try {
      for await (const event of this.#client.watch(trustResource, options)) {
        if (event.type === 'DELETED') return revisionOf(event.object)
      }
    } finally {
      stop.abort()
    }
    return undefined
  }

  #place(key: RecordKey) {
    return { namespace: this.#namespace, name: trustObjectName(key) }
  }
}

function stored(object: TrustObject): Stored {
  return { record: fromTrustObject(object), revision: revisionOf(object) }
}

function revisionOf({ metadata: { resourceVersion } }: KubeObject): number {
  return Number(resourceVersion)
}

function changeOf({ type, object }: Exclude<WatchEvent<TrustObject>, { type: 'BOOKMARK' }>): TrustChange {
  const record = fromTrustObject(object)
  const { kind, name } = record
  return { kind, name, revision: revisionOf(object), record: type === 'DELETED' ? undefined : record }
}
