/**
 * One kind of record as objects of Kubernetes. Everything is read from a copy in memory that follows the API server;
 * writes go to the API server, and resolve when the copy has them.
 *
 * Several registries may share the objects. What one of them decides by its copy holds only if the object is still as it
 * was: each write says which version it replaces, and is decided again when that is not there any more.
 */
import { type Clock, type Logger, NsmError, within } from '../../../base/index.ts'
import {
  Informer,
  type KubeClient,
  type KubeObject,
  type ObjectChange,
  type ObjectKey,
  type ObjectMeta,
  objectNameOf,
  type Resource,
  unlessOutdated,
} from '../../../kube/index.ts'
import { ChangeLog } from '../../../store/index.ts'
import { noPrivileges } from '../../rules/ownership.ts'
import type { RecordCodec } from '../record-codec.ts'
import type { RecordIndex } from '../record-index.ts'
import {
  type Change,
  type NameRange,
  PAGE_RECORDS,
  type Page,
  type Records,
  type RegistryRecord,
  type Snapshot,
} from '../registry-store.ts'
import type { Usage } from '../usage.ts'
import type { ObjectCodec } from './object-codec.ts'

/** How long the copy may take to have what was written. */
const SEEN_MS = 5_000
/** Registries are few: they may look for an API server that was away soon. */
const RETRY = { firstMs: 100, maxMs: 2_000 }
/** A try fails only because another writer has succeeded. */
const MAX_TRIES = 100
const EVERYTHING: NameRange = { after: '', most: Number.POSITIVE_INFINITY }

export interface KubeRecordsOptions<T extends RegistryRecord, O extends KubeObject> {
  readonly client: KubeClient
  readonly namespace: string
  readonly resource: Resource<O>
  readonly objects: ObjectCodec<T, O>
  /** How much a record takes is told by it, as in every store. */
  readonly codec: RecordCodec<T>
  readonly usage: Usage
  readonly index: RecordIndex<T>
  matches(query: Partial<T>, value: T): boolean
  /** Called with a record that has come, changed or gone. */
  readonly onChange: (value: T) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** A record, and the object that stands for it. */
export interface Stored<T> {
  readonly value: T
  readonly metadata: Pick<ObjectMeta, 'uid' | 'resourceVersion' | 'labels' | 'annotations' | 'ownerReferences'>
}

/** Which object, and perhaps in which state of it. */
interface Version {
  readonly uid: string
  readonly resourceVersion?: string
}

export class KubeRecords<T extends RegistryRecord, O extends KubeObject> implements Records<T> {
  protected readonly options: KubeRecordsOptions<T, O>
  protected readonly informer: Informer<O, Stored<T>>
  #log: ChangeLog<Change<T>> | undefined
  /** Of the newest change. */
  #revision = 0

  constructor(options: KubeRecordsOptions<T, O>) {
    this.options = options
    const { client, resource, namespace, clock, logger } = options
    const read = (object: O) => this.#read(object)
    this.informer = new Informer<O, Stored<T>>({ client, resource, namespace, read, retry: RETRY, clock, logger })
    this.informer.subscribe((change) => this.#follow(change))
  }

  /** Resolves when the copy is complete. Call it before anything else. */
  async opened(signal?: AbortSignal): Promise<void> {
    await this.informer.synced(signal)
    this.#revision = Math.max(this.#revision, Number(this.informer.resourceVersion))
    this.#log ??= new ChangeLog(this.#revision)
  }

  async get(name: string): Promise<T | undefined> {
    return this.options.index.get(name)
  }

  async put(value: T): Promise<void> {
    await this.seenWritten(await this.#write(value))
  }

  async remove(name: string): Promise<void> {
    const { uid } = this.stored(name)?.metadata ?? {}
    if (uid !== undefined) await this.removeIf(name, { uid })
  }

  async list(query: Partial<T>): Promise<Snapshot<T>> {
    const { index, matches } = this.options
    const values = index.candidates(query, EVERYTHING).filter((value) => matches(query, value))
    return { revision: this.#revision, values }
  }

  async page(query: Partial<T>, after: string): Promise<Page<T>> {
    const { index, matches } = this.options
    const found = index.candidates(query, { after, most: PAGE_RECORDS })
    const next = found.length < PAGE_RECORDS ? undefined : found.at(-1)?.name
    return { values: found.filter((value) => matches(query, value)), next }
  }

  async revision(): Promise<number> {
    return this.#revision
  }

  async countOwned(owner: string): Promise<number> {
    return this.options.index.countOwned(owner)
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<Change<T>> {
    if (this.#log !== undefined) return this.#log.watch(revision, signal)
    throw new NsmError('failed_precondition', 'Cannot watch the records: the store is not open yet')
  }

  close(): Promise<void> {
    return this.informer.close()
  }

  protected stored(name: string): Stored<T> | undefined {
    const { namespace } = this.options
    return this.informer.get(`${namespace}/${objectNameOf(name)}`)
  }

  protected keyOf(name: string): ObjectKey & { readonly namespace: string } {
    return { name: objectNameOf(name), namespace: this.options.namespace }
  }

  /** Removes the object if it is still as `it` says. One that is another by now, or gone, is somebody else's doing. */
  protected async removeIf(name: string, it: Version): Promise<void> {
    const { client, resource } = this.options
    await unlessOutdated(client.remove(resource, this.keyOf(name), it))
    await this.seen(() => !isStill(this.stored(name), it))
  }

  /** Replaces the object if it is still as it was read. @returns undefined when it is not */
  protected async replace({ metadata }: Stored<T>, value: T): Promise<O | undefined> {
    const { client, resource, objects } = this.options
    const object = objects.toObject(value, { ...metadata, ...this.keyOf(value.name) })
    return unlessOutdated(client.update(resource, object))
  }

  /** Resolves when the copy has what was written. */
  protected async seenWritten({ metadata: { resourceVersion } }: KubeObject): Promise<void> {
    await this.seen(() => Number(this.informer.resourceVersion) >= Number(resourceVersion))
  }

  /** @throws {NsmError} `unavailable` when the API server has made the change, but does not tell us of it */
  protected async seen(condition: () => boolean): Promise<void> {
    const { clock } = this.options
    try {
      await within({ clock, ms: SEEN_MS }, (signal) => this.informer.until(condition, signal))
    } catch (cause) {
      throw new NsmError('unavailable', 'Cannot confirm the change: it is stored, but has not arrived here yet', {
        cause,
        fields: { seen: this.informer.resourceVersion },
      })
    }
  }

  /** Puts the record into the copy. */
  protected show(value: T): void {
    const { index, usage, codec, resource } = this.options
    const [owner = ''] = value.pathIds
    index.set(value)
    usage.change(resource.kind, value.name, { owner, bytes: Buffer.byteLength(codec.encode(value)) })
    this.#log?.push({ revision: this.#revision, value, deleted: false })
    this.options.onChange(value)
  }

  async #write(value: T): Promise<O> {
    let known = this.stored(value.name)
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (known !== undefined) checkOwner(known.value, value)
      const written = known === undefined ? await this.#create(value) : await this.replace(known, value)
      if (written !== undefined) return written
      known = await this.#live(value.name)
    }
    throw new NsmError('unavailable', 'Cannot write the record: it keeps changing', { fields: { name: value.name } })
  }

  #create(value: T): Promise<O | undefined> {
    const { client, resource, objects } = this.options
    return unlessOutdated(client.create(resource, objects.toObject(value, this.keyOf(value.name))))
  }

  /** As it is at the API server, which the copy may not have yet. */
  async #live(name: string): Promise<Stored<T> | undefined> {
    const { client, resource } = this.options
    const object = await unlessOutdated(client.get(resource, this.keyOf(name)))
    return object === undefined ? undefined : this.#read(object)
  }

  #read(object: O): Stored<T> {
    const { uid, resourceVersion, labels, annotations, ownerReferences } = object.metadata
    const kept = { uid, resourceVersion, labels, annotations, ownerReferences }
    const metadata = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
    return { value: this.options.objects.fromObject(object), metadata }
  }

  /** Changes that come with a new list have its resource version, or a lower one: none may seem older than the last. */
  #follow({ resourceVersion, before, value }: ObjectChange<Stored<T>>): void {
    this.#revision = Math.max(this.#revision, Number(resourceVersion))
    const [old, now] = [before?.value, value?.value]
    if (old !== undefined && old.name !== now?.name) this.#drop(old)
    else if (old !== undefined) this.options.onChange(old)
    if (now !== undefined) this.show(now)
  }

  #drop(value: T): void {
    const { index, usage, resource } = this.options
    index.delete(value.name)
    usage.change(resource.kind, value.name, { owner: '', bytes: 0 })
    this.#log?.push({ revision: this.#revision, value, deleted: true })
    this.options.onChange(value)
  }
}

function isStill(stored: Stored<RegistryRecord> | undefined, { uid, resourceVersion }: Version): boolean {
  const { metadata } = stored ?? {}
  return metadata?.uid === uid && (resourceVersion === undefined || metadata.resourceVersion === resourceVersion)
}

function checkOwner(stored: RegistryRecord, value: RegistryRecord): void {
  const [owner = ''] = value.pathIds
  if ((stored.pathIds[0] ?? '') === owner) return
  throw noPrivileges('the name has another owner', { name: value.name, caller: owner })
}
