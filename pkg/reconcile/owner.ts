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

/** A connection as the reconciler sees it: its desired objects, and those no longer desired that may still exist. */
export class Owner {
  readonly id: string
  readonly backoff: Backoff
  desired: ReadonlyMap<string, Item> = new Map()
  readonly leaving = new Map<string, Item>()
  status: OwnerStatus = { at: 'settling' }
  /** Incremented when the desired state changes. An attempt that fails after that is not retried. */
  round = 0
  #cancelRetry: () => void = () => {}
  #background: AbortController | undefined

  constructor(id: string, random: () => number) {
    this.id = id
    this.backoff = new Backoff({ firstMs: 100, maxMs: 30_000, random })
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
    this.#cancelRetry()
    this.#background?.abort()
  }
}

function placedId({ place, id }: Item): string {
  return `${place} ${id}`
}
