import { NsmError } from '../base/index.ts'
import { WatchQueue } from './watch-queue.ts'

const MAX_CHANGES = 1_000

/**
 * The newest changes of a store, kept in memory, and its watchers. A watch can resume from any revision that the log
 * still reaches.
 */
export class ChangeLog<C extends { readonly revision: number }> {
  readonly #most: number
  readonly #changes: C[] = []
  readonly #watchers = new Set<WatchQueue<C>>()
  /** Every change after this revision is in the log. */
  #floor: number

  /** @param revision of the newest change before the log began. */
  constructor(revision: number, most = MAX_CHANGES) {
    this.#floor = revision
    this.#most = most
  }

  /** Call after the change is durable, in the order of the revisions. */
  push(change: C): void {
    this.#changes.push(change)
    const dropped = this.#changes.length > this.#most ? this.#changes.shift() : undefined
    this.#floor = dropped?.revision ?? this.#floor
    for (const watcher of this.#watchers) watcher.push(change)
  }

  /**
   * Yields the changes after `revision`, then new ones until `signal` aborts.
   * @throws {NsmError} `failed_precondition` when the log does not reach back that far, `resource_exhausted` when the
   *   watcher reads too slowly: both mean that it must list again.
   */
  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<C> {
    if (revision < this.#floor) throw cannotResume(revision, this.#floor)
    const missed = this.#changes.filter((change) => change.revision > revision)
    const queue = new WatchQueue<C>()
    this.#watchers.add(queue)
    try {
      yield* missed
      yield* queue.read(signal)
    } finally {
      this.#watchers.delete(queue)
    }
  }
}

/** @param floor the oldest revision from which a watch can start. */
export function cannotResume(revision: number, floor: number): NsmError {
  return new NsmError('failed_precondition', 'Cannot resume the watch: the history does not reach back that far', {
    fields: { revision, floor },
    next: 'list again, and watch from the revision of that list',
  })
}
