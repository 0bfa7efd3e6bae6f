import { Backoff } from '../base/index.ts'
import type { Item } from './item.ts'

/**
 * The state of the objects of an owner.
 *
 *     settling -> settled          all desired objects exist
 *        ^  \---> failed           the first error; retried until it succeeds or the desired state changes
 *        \----------/
 */
export type OwnerStatus =
  | { readonly at: 'settling' }
  | { readonly at: 'settled' }
  | { readonly at: 'failed'; readonly error: unknown }

/** Within so long after a restoration, the next one is another of the same row. */
const CALM_MS = 10_000
/** What somebody removes by mistake comes back at once, also when it happens a few times. */
const AT_ONCE = 3

/** A connection as the reconciler sees it: its desired objects, and those no longer desired that may still exist. */
export class Owner {
  readonly id: string
  readonly backoff: Backoff
  desired: ReadonlyMap<string, Item> = new Map()
  readonly leaving = new Map<string, Item>()
  status: OwnerStatus = { at: 'settling' }
  /** Incremented when the desired state changes. An attempt that fails after that is not retried. */
  round = 0
  readonly #restoring: Backoff
  #restorations = 0
  #restoredMs = Number.NEGATIVE_INFINITY
  #cancelRestore: (() => void) | undefined
  #cancelRetry: () => void = () => {}
  #background: AbortController | undefined

  constructor(id: string, random: () => number) {
    this.id = id
    this.backoff = new Backoff({ firstMs: 100, maxMs: 30_000, random })
    this.#restoring = new Backoff({ firstMs: 200, maxMs: 5_000, random })
  }

  /** Whether the objects are about to be restored. */
  get isPaused(): boolean {
    return this.#cancelRestore !== undefined
  }

  /** How long their next restoration waits: objects that are removed in a loop come back more and more slowly. */
  restorePauseMs(nowMs: number): number {
    if (nowMs - this.#restoredMs > CALM_MS) {
      this.#restorations = 0
      this.#restoring.reset()
    }
    this.#restoredMs = nowMs
    this.#restorations += 1
    return this.#restorations <= AT_ONCE ? 0 : this.#restoring.next()
  }

  /** @param after has `restore` called later, and returns how to cancel that */
  pause(after: (restore: () => void) => () => void, restore: () => void): void {
    this.#cancelRestore = after(() => {
      this.#cancelRestore = undefined
      restore()
    })
  }

  /** Aborts when the desired state changes. For attempts in the background. */
  get backgroundSignal(): AbortSignal {
    this.#background ??= new AbortController()
    return this.#background.signal
  }

  want(items: readonly Item[]): void {
    this.round += 1
    this.#cancelRetry()
    this.#background?.abort()
    this.#background = undefined
    const desired = new Map(items.map((item) => [placedId(item), item]))
    for (const [id, item] of this.desired) if (!desired.has(id)) this.leaving.set(id, item)
    for (const id of desired.keys()) this.leaving.delete(id)
    this.desired = desired
  }

  retry(cancel: () => void): void {
    this.#cancelRetry()
    this.#cancelRetry = cancel
  }

  left(item: Item): void {
    this.leaving.delete(placedId(item))
  }

  isNothing(): boolean {
    return this.desired.size === 0 && this.leaving.size === 0
  }

  places(): ReadonlySet<string> {
    return new Set([...this.desired.values(), ...this.leaving.values()].map(({ place }) => place))
  }

  stop(): void {
    this.#cancelRestore?.()
    this.#cancelRetry()
    this.#background?.abort()
  }
}

function placedId({ place, id }: Item): string {
  return `${place} ${id}`
}
