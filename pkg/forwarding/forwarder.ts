/**
 * Makes wires from intents and keeps them so. An intent is on disk before the first effect, and gone from disk before
 * the first removal: after a crash at any point, what is on disk is what the node ends up with.
 *
 *     establish   put intent -> settle ----------------> wire
 *                                  \-- failed, first --> delete intent -> settle to nothing
 *     remove      delete intent -> settle to nothing -> allocations released
 *     open        load intents -> look at the world -> remove strays, settle what differs
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Clock,
  errorCode,
  isObjectId,
  KeyedQueue,
  type Logger,
  NsmError,
  retryUntilDone,
  Scope,
  within,
} from '../base/index.ts'
import { type Dataplane, portId } from '../dataplane/index.ts'
import { mechanismOf, type WireIntent, workloadOf } from '../mechanism/index.ts'
import { checkInterfaceName, noExceptions, type PrefixExceptions } from '../net/index.ts'
import type { Platform } from '../platform/index.ts'
import { type Desired, type KindCounts, type OwnerStatus, Reconciler } from '../reconcile/index.ts'
import type { Database } from '../store/index.ts'
import { checkPods } from './check-pods.ts'
import { IntentStore, type WireRecord } from './intent-store.ts'
import { inOrder, type WireKinds, wireKinds } from './kinds/index.ts'
import { sightingOf } from './kinds/sighting.ts'
import { planWire } from './plan-wire.ts'
import { RoutingTables } from './routing-tables.ts'

export interface ForwarderOptions {
  /** Opened with {@link intentMigrations}. */
  readonly database: Database
  readonly platform: Platform
  readonly dataplane: Dataplane
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: () => number
}

/** What a failed establishment has left behind is cleaned up for so long while the caller waits, then without it. */
const CLEAN_UP_MS = 2000

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #store: IntentStore
  readonly #kinds: WireKinds
  readonly #reconciler: Reconciler
  readonly #records = new Map<string, WireRecord>()
  readonly #tables = new RoutingTables()
  readonly #queue = new KeyedQueue()
  readonly #scope = new Scope()

  private constructor(options: ForwarderOptions) {
    this.#options = options
    this.#store = new IntentStore(options.database)
    this.#kinds = wireKinds(options.platform, options.dataplane)
    this.#reconciler = this.#scope.own(
      new Reconciler({
        ...options,
        kinds: inOrder(this.#kinds),
        places: async (signal) => (await options.platform.namespaces.list(signal)).map(({ namespace }) => namespace),
        onGone: (id) => this.#released(id),
      }),
    )
  }

  /** Returns when the world has been brought in line with the stored intents; waits for a dataplane that is away. */
  static async open(options: ForwarderOptions, signal: AbortSignal): Promise<Forwarder> {
    const forwarder = new Forwarder(options)
    try {
      forwarder.#load()
      forwarder.#watch()
      await forwarder.#openReconciler(signal)
    } catch (error) {
      await forwarder.close()
      throw error
    }
    return forwarder
  }

  /**
   * Makes the wire, or changes it to this intent. A wire that cannot be made leaves nothing behind; one that cannot be
   * changed is put back to what it was.
   *
   * @throws {NsmError} `invalid_argument` for a prefix that the pod needs, `already_exists` for a name that is taken; what the kernel and the dataplane refuse
   */
  establish(intent: WireIntent, signal: AbortSignal, exceptions = noExceptions): Promise<void> {
    return this.#queue.run(intent.id, () => this.#establish(intent, signal, exceptions))
  }

  /** Removes the wire and all that belongs to it. An unknown id is fine. After a failure it goes on by itself. */
  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#queue.run(id, async () => {
      if (this.#records.has(id)) this.#forget(id)
      if (this.#reconciler.status(id) !== undefined) await this.#reconciler.settle(id, [], signal)
    })
  }

  intents(): readonly WireIntent[] {
    return [...this.#records.values()].map(({ intent }) => intent)
  }

  intent(id: string): WireIntent | undefined {
    return this.#records.get(id)?.intent
  }

  /** Undefined when there is no such wire, and nothing left of it. */
  status(id: string): OwnerStatus | undefined {
    return this.#reconciler.status(id)
  }

  /** Starts new handshakes with the nodes that the wire leads to, without waiting for WireGuard's timers. */
  async rehandshake(id: string, signal: AbortSignal): Promise<void> {
    const intent = this.intent(id)
    if (intent === undefined) throw new NsmError('not_found', 'Cannot find the wire', { fields: { connection: id } })
    for (const end of [intent.client, intent.server]) {
      if (mechanismOf(end).hasSession) await this.#options.dataplane.rehandshake(portId(id, end.role), signal)
    }
  }

  /** Per kind of object. */
  counters(): ReadonlyMap<string, KindCounts> {
    return this.#reconciler.counters()
  }

  /** Changes made to the outside world since the start. */
  get writes(): number {
    return this.#reconciler.writes
  }

  async close(): Promise<void> {
    await this.#scope.close()
    await this.#queue.idle()
  }

  #load(): void {
    for (const record of this.#store.all()) {
      this.#tables.allocate(record.intent, record.tables)
      this.#records.set(record.intent.id, record)
      this.#reconciler.want(record.intent.id, this.#plan(record))
    }
  }

  #watch(): void {
    const { platform, dataplane } = this.#options
    this.#scope.defer(
      platform.namespaces.watch((namespace, change) => {
        if (change === undefined) this.#reconciler.changed(namespace)
        else this.#reconciler.saw(namespace, sightingOf(this.#kinds, namespace, change))
      }),
    )
    this.#scope.defer(
      dataplane.subscribe(({ at }) => {
        if (at === 'connected') this.#reconciler.changed()
      }),
    )
  }

  async #openReconciler(signal: AbortSignal): Promise<void> {
    const { clock, logger, random } = this.#options
    const options = {
      clock,
      signal,
      retry: { firstMs: 100, maxMs: 5000, ...(random && { random }) },
      isRetried: (error: unknown) => errorCode(error) === 'unavailable',
      log: { logger, message: 'Cannot see the dataplane yet, will try again' },
    }
    await retryUntilDone(options, () => this.#reconciler.open(signal))
  }

  async #establish(intent: WireIntent, signal: AbortSignal, exceptions: PrefixExceptions): Promise<void> {
    signal.throwIfAborted()
    checkIntent(intent)
    const before = this.#records.get(intent.id)
    const { bystanders } = this.#options.platform
    if (!isDeepStrictEqual(before?.intent, intent)) await checkPods({ bystanders, exceptions }, intent, signal)
    const { desired, isNew } = this.#decide(intent, before)
    try {
      await this.#reconciler.settle(intent.id, desired, signal)
    } catch (error) {
      if (isNew) await this.#takeBack(intent.id, before)
      throw error
    }
  }

  /** Everything that can be refused without an effect, then the intent goes to disk unless it is there already. */
  #decide(intent: WireIntent, before: WireRecord | undefined): { desired: readonly Desired[]; isNew: boolean } {
    try {
      const record = { intent, tables: this.#tables.allocate(intent, before?.tables) }
      const desired = this.#plan(record)
      const isNew = !isDeepStrictEqual(before, record)
      if (isNew) this.#keep(record)
      return { desired, isNew }
    } catch (error) {
      if (before === undefined) this.#tables.release(intent.id)
      throw error
    }
  }

  async #takeBack(id: string, before: WireRecord | undefined): Promise<void> {
    const { clock, logger } = this.#options
    try {
      if (before === undefined) this.#forget(id)
      else this.#keep(before)
      const desired = before === undefined ? [] : this.#plan(before)
      await within({ clock, ms: CLEAN_UP_MS }, (signal) => this.#reconciler.settle(id, desired, signal))
    } catch (error) {
      // The reconciler goes on; where the disk refused, the intent stands and so does its wire.
      logger.warn('Cannot clean up after a wire that failed yet', { connection: id, error })
    }
  }

  /** From here on the wire is to go, whatever happens. */
  #forget(id: string): void {
    this.#store.delete(id)
    this.#records.delete(id)
  }

  #keep(record: WireRecord): void {
    this.#store.put(record)
    this.#records.set(record.intent.id, record)
  }

  #released(id: string): void {
    if (!this.#records.has(id)) this.#tables.release(id)
  }

  #plan({ intent, tables }: WireRecord): readonly Desired[] {
    return planWire(this.#kinds, intent, tables)
  }
}

/** Names that the kernel and the dataplane would refuse half way. */
function checkIntent({ id, client, server }: WireIntent): void {
  if (!isObjectId(id) || !isObjectId(portId(id, 'client'))) {
    throw new NsmError('invalid_argument', 'Cannot make a wire: its id is not 1 to 62 of A-Z a-z 0-9 . _ : -', {
      fields: { connection: id.slice(0, 80) },
    })
  }
  for (const workload of [workloadOf(client), workloadOf(server)]) {
    if (workload !== undefined) checkInterfaceName(workload.interfaceName)
  }
}
