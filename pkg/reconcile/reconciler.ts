/**
 * Brings the world to the state that its owners desire, and keeps it there. Each owner (a connection) has its own
 * queue, so that a failing one never blocks another. Normally only changes are processed. Places are observed when the
 * reconciler opens, after somebody else has changed them, and every few minutes.
 *
 *     settle(owner, desired) --> queue of the owner --> remove old objects, create missing ones --> settled
 *     saw(object) -------------> as we know it: nothing; else
 *     changed(place) ----------> observe ----> remove strays, queue the owners whose objects differ
 */
import { isDeepStrictEqual } from 'node:util'
import { type Clock, KeyedQueue, type Logger, Scope, within } from '../base/index.ts'
import { inCreationOrder, itemId, toItem } from './item.ts'
import { type AnyKind, type Desired, NODE_PLACE } from './kind.ts'
import type { KindCounts } from './kind-counters.ts'
import { forEachLimited } from './limited.ts'
import { Owner, type OwnerStatus } from './owner.ts'
import type { Place } from './place.ts'
import { Rounds } from './rounds.ts'
import { claim, doubtPlaces, settleOwner } from './settle-owner.ts'
import { type Sighting, Sightings, type Verdict } from './sightings.ts'
import { World } from './world.ts'

export interface ReconcilerOptions {
  /** In the order of creation. Removal uses the reverse order. */
  readonly kinds: readonly AnyKind[]
  /** The namespaces that are visible now, whether an owner uses them or not. */
  readonly places: (signal: AbortSignal) => Promise<Iterable<string>>
  /** Called when the last object of an owner that desires none has been removed. */
  readonly onGone?: (owner: string) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: () => number
}

/** The time limit of one attempt to settle an owner, and of one observation of a place. */
const ATTEMPT_MS = 10_000
const PARALLEL = 16

export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #world: World
  readonly #owners = new Map<string, Owner>()
  readonly #queue = new KeyedQueue()
  readonly #scope = new Scope()
  readonly #rounds: Rounds
  readonly #sightings: Sightings

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#world = new World(options.kinds)
    this.#rounds = this.#scope.own(
      new Rounds({ ...options, look: (places) => this.#look(places), lookAtAll: () => this.#lookAtAll() }),
    )
    this.#sightings = this.#scope.own(
      new Sightings({ ...options, judge: this.#judge, changed: (place) => this.changed(place) }),
    )
  }

  /** Sets the desired state of an owner without acting on it yet. Used for all stored intents before `open`. */
  want(ownerId: string, desired: readonly Desired[]): void {
    this.#want(ownerId, desired)
  }

  /**
   * Observes everything, removes the objects that carry our mark but have no owner, and creates the missing ones.
   * Owners that fail are retried in the background.
   *
   * @throws {NsmError} when the world cannot be observed
   */
  async open(signal: AbortSignal): Promise<void> {
    const failures = await this.#lookAtAll([signal])
    this.#rounds.start()
    if (failures.length > 0) this.changed()
  }

  /**
   * Resolves when the owner has exactly the desired objects. After a failure the reconciler retries in the background
   * until it succeeds or the desired state changes.
   *
   * @throws {NsmError} the first failure, with the kind and key of the object; `already_exists` when it has another
   * owner
   */
  async settle(ownerId: string, desired: readonly Desired[], signal: AbortSignal): Promise<void> {
    const owner = this.#want(ownerId, desired)
    await this.#queue.run(ownerId, () => this.#try(owner, signal))
  }

  /** Undefined for an owner that neither desires nor has any object. */
  status(ownerId: string): OwnerStatus | undefined {
    return this.#owners.get(ownerId)?.status
  }

  counters(): ReadonlyMap<string, KindCounts> {
    return this.#world.counters.all
  }

  /** The number of calls to `apply` and `remove` of all kinds since the start. */
  get writes(): number {
    return this.#world.counters.writes
  }

  /** Reports that somebody may have changed this place, or any place. It is observed soon, once for many changes. */
  changed(place?: string): void {
    this.#rounds.changed(place)
  }

  /** Reports how an object was seen. Where it is not as we know it, its place is observed soon. */
  saw(place: string, sighting: Sighting): void {
    this.#sightings.saw(place, sighting)
  }

  async close(): Promise<void> {
    for (const owner of this.#owners.values()) owner.stop()
    await this.#scope.close()
    await this.#queue.idle()
  }

  readonly #judge = (name: string, { kind, key, actual }: Sighting): Verdict => {
    const place = this.#world.place(name)
    const id = itemId(kind, key)
    const owner = place.claims.get(id)
    if (owner !== undefined && this.#queue.has(owner)) return 'unsettled'
    if (!place.isKnown) return 'known' // or rather yet to be observed
    if (isDeepStrictEqual(place.get(id), actual)) {
      place.confirm(id)
      return 'known'
    }
    if (owner !== undefined) return place.isConfirmed(id) ? 'changed' : 'unconfirmed'
    return actual !== undefined && kind.isForeign?.(actual) === true ? 'known' : 'unowned'
  }

  #want(ownerId: string, desired: readonly Desired[]): Owner {
    const owner = this.#owners.get(ownerId) ?? new Owner(ownerId, this.#options.random ?? Math.random)
    this.#owners.set(ownerId, owner)
    owner.want(inCreationOrder(desired.map(toItem), this.#options.kinds))
    for (const item of owner.desired.values()) claim(this.#world, owner, item)
    return owner
  }

  async #try(owner: Owner, signal: AbortSignal): Promise<void> {
    const { round } = owner
    const world = this.#world
    const { kinds } = this.#options
    owner.status = { at: 'settling' }
    try {
      await this.#limited([signal], (limited) => settleOwner({ world, kinds }, owner, limited))
      owner.status = { at: 'settled' }
      owner.backoff.reset()
      if (owner.isNothing()) this.#forget(owner)
    } catch (error) {
      owner.status = { at: 'failed', error }
      doubtPlaces(this.#world, owner)
      if (owner.round === round) this.#tryLater(owner, error)
      throw error
    }
  }

  #forget(owner: Owner): void {
    if (this.#owners.get(owner.id) === owner) this.#owners.delete(owner.id)
    this.#options.onGone?.(owner.id)
  }

  #tryLater(owner: Owner, error: unknown): void {
    if (this.#scope.signal.aborted) return
    const delayMs = owner.backoff.next()
    const { clock, logger } = this.#options
    logger.warn('Cannot reconcile a connection, retrying', { connection: owner.id, error, delayMs })
    owner.retry(clock.after(delayMs, () => void this.#tryInBackground(owner)))
  }

  /** For owners without a waiting caller: failures go to the status and the log. */
  #tryInBackground(owner: Owner): Promise<void> {
    const { round } = owner
    const isSuperseded = () => owner.round !== round || this.#scope.signal.aborted
    const attempt = async () => (isSuperseded() ? undefined : this.#try(owner, owner.backgroundSignal))
    return this.#queue.run(owner.id, attempt).catch(() => {})
  }

  async #lookAtAll(parents: readonly AbortSignal[] = []): Promise<readonly unknown[]> {
    const seen = await this.#limited(parents, this.#options.places)
    const names = new Set([...seen, ...this.#world.claimedPlaces(), NODE_PLACE])
    this.#world.retain(names)
    return this.#look(names)
  }

  /**
   * Observes and cleans each place independently, and the node last: the objects in a namespace must be removed before
   * the pin that keeps it reachable. A place that fails does not stop the others. Returns all failures.
   *
   * @throws {NsmError} when not even the objects of the node can be observed
   */
  async #look(names: ReadonlySet<string>): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    const clean = async (name: string) => {
      const place = this.#world.place(name)
      await this.#limited([], (signal) => this.#clean(place, signal)).catch((error) => failures.push(error))
    }
    const isWhole = names.has(NODE_PLACE)
    if (isWhole) await this.#limited([], (signal) => this.#world.place(NODE_PLACE).observe(signal))
    await forEachLimited(
      [...names].filter((name) => name !== NODE_PLACE),
      PARALLEL,
      clean,
    )
    if (isWhole && failures.length === 0) await clean(NODE_PLACE)
    await this.#settleAgain(names, isWhole)
    return failures
  }

  async #clean(place: Place, signal: AbortSignal): Promise<void> {
    if (place.name !== NODE_PLACE) await place.observe(signal)
    const strays = place.strays()
    for (const stray of strays) await this.#world.sweep(place, stray, signal)
    if (strays.length > 0) await place.observe(signal)
  }

  /** Failed owners wait for their own retry, because their attempts are reported as changes of their places, too. */
  async #settleAgain(names: ReadonlySet<string>, areFailedDue: boolean): Promise<void> {
    const ids = new Set([...names].flatMap((name) => [...this.#world.place(name).claims.values()]))
    const owners = [...ids].flatMap((id) => this.#owners.get(id) ?? [])
    const due = owners.filter((owner) => (owner.status.at === 'failed' ? areFailedDue : !this.#isWhole(owner)))
    await forEachLimited(due, PARALLEL, (owner) => this.#restore(owner))
  }

  async #restore(owner: Owner): Promise<void> {
    const { clock, logger } = this.#options
    if (owner.status.at !== 'settled') return this.#tryInBackground(owner)
    if (owner.isPaused) return
    const pauseMs = owner.restorePauseMs(clock.monotonicMs())
    if (pauseMs === 0) return this.#tryInBackground(owner)
    logger.warn('Somebody changes objects of a connection again and again', { connection: owner.id, pauseMs })
    const after = (restore: () => void) => clock.after(pauseMs, restore)
    owner.pause(after, () => void this.#tryInBackground(owner))
  }

  #isWhole({ status, desired, leaving }: Owner): boolean {
    return (
      status.at === 'settled' && leaving.size === 0 && [...desired.values()].every((item) => this.#world.isRight(item))
    )
  }

  async #limited<T>(parents: readonly AbortSignal[], action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = {
      clock: this.#options.clock,
      ms: ATTEMPT_MS,
      signal: AbortSignal.any([...parents, this.#scope.signal]),
    }
    return within(limit, (signal) => {
      signal.throwIfAborted()
      return action(signal)
    })
  }
}
