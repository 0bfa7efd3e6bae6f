import type { Found } from '../../api/index.ts'
import { WatchQueue } from '../../store/index.ts'
import type { RegistryRecord } from '../store/registry-store.ts'

/** Starts a watch that yields the present state first and then each change once. */
export type StartWatch<T> = (signal: AbortSignal) => AsyncIterable<Found<T>>

interface SharedWatch<T> {
  readonly known: Map<string, T>
  readonly watchers: Set<WatchQueue<Found<T>>>
  readonly stop: AbortController
}

/**
 * One watch shared by all watchers of the same query: however many nodes use a service of another domain, its registry
 * serves one stream. The stream starts with the first watcher and ends with the last.
 */
export class SharedWatches<T extends RegistryRecord> {
  readonly #running = new Map<string, SharedWatch<T>>()

  /** Yields the known records, then each change. Fails with the error that ends the shared watch. */
  async *join(key: string, start: StartWatch<T>, signal: AbortSignal): AsyncGenerator<Found<T>> {
    const shared = this.#running.get(key) ?? this.#start(key, start)
    const watcher = new WatchQueue<Found<T>>()
    shared.watchers.add(watcher)
    try {
      yield* [...shared.known.values()].map((value) => ({ value, deleted: false }))
      yield* watcher.read(signal)
    } finally {
      shared.watchers.delete(watcher)
      if (shared.watchers.size === 0) this.#end(key, shared)
    }
  }

  #start(key: string, start: StartWatch<T>): SharedWatch<T> {
    const shared: SharedWatch<T> = { known: new Map(), watchers: new Set(), stop: new AbortController() }
    this.#running.set(key, shared)
    this.#distribute(shared, start).catch((error) => {
      this.#end(key, shared)
      for (const watcher of shared.watchers) watcher.fail(error)
    })
    return shared
  }

  async #distribute({ known, watchers, stop }: SharedWatch<T>, start: StartWatch<T>): Promise<void> {
    for await (const found of start(stop.signal)) {
      if (found.deleted) known.delete(found.value.name)
      else known.set(found.value.name, found.value)
      for (const watcher of watchers) watcher.push(found)
    }
  }

  #end(key: string, shared: SharedWatch<T>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key)
    shared.stop.abort()
  }
}
