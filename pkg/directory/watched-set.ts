/**
 * A part of a registry, kept in step by one watch for everybody who asks. When the registry goes away, the last state
 * serves on for half an hour, so that what is known can be requested without it.
 */
import type { Found } from '../api/index.ts'
import { type Clock, follow, type Logger, NsmError } from '../base/index.ts'

const STALE_MS = 30 * 60_000
const RETRY = { firstMs: 200, maxMs: 5_000 }

export interface WatchedSetOptions<T> {
  readonly find: (watch: boolean, signal: AbortSignal) => AsyncIterable<Found<T>>
  readonly clock: Clock
  readonly logger: Logger
}

export class WatchedSet<T extends { readonly name: string }> {
  readonly #options: WatchedSetOptions<T>
  readonly #values = new Map<string, T>()
  readonly #abort = new AbortController()
  readonly #running: Promise<void>
  /** When the registry was lost; undefined while it is there. */
  #lostMs: number | undefined

  /** @param seed what a list has just returned. */
  constructor(options: WatchedSetOptions<T>, seed: readonly T[]) {
    this.#options = options
    for (const value of seed) this.#values.set(value.name, value)
    this.#running = this.#follow()
  }

  /** @throws {NsmError} `unavailable` when the registry has been away for too long to go by what it said. */
  values(): readonly T[] {
    const awayMs = this.#lostMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#lostMs
    if (awayMs < STALE_MS) return [...this.#values.values()]
    throw new NsmError('unavailable', 'Cannot use the cached registrations: the registry has been away for too long', {
      fields: { awayMs: Math.round(awayMs) },
      next: 'check that nsm-registry runs',
    })
  }

  /** False while nobody can renew or withdraw a registration. */
  get isLive(): boolean {
    return this.#lostMs === undefined
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  #follow(): Promise<void> {
    const { clock, logger } = this.#options
    const log = { logger, message: 'Lost the registry: going on with the cached registrations' }
    return follow({ clock, retry: RETRY, signal: this.#abort.signal, log }, async (works) => {
      try {
        await this.#watchOnce(works)
      } finally {
        this.#lostMs ??= clock.monotonicMs()
      }
    })
  }

  /**
   * Follows one stream to its end. A watch does not say where the present state ends and the changes begin, so we also
   * ask for a list: what only the list has is added, what neither has is gone, and where they differ, the stream is
   * newer.
   */
  async #watchOnce(onListed: () => void): Promise<void> {
    const told = new Set<string>()
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#abort.signal, stop.signal])
    const streaming = this.#stream(told, signal)
    try {
      await Promise.all([streaming, this.#list(told, signal).then(onListed)])
    } finally {
      stop.abort()
      await streaming.catch(() => {})
    }
  }

  async #stream(told: Set<string>, signal: AbortSignal): Promise<void> {
    for await (const { value, deleted } of this.#options.find(true, signal)) {
      told.add(value.name)
      if (deleted) this.#values.delete(value.name)
      else this.#values.set(value.name, value)
    }
  }

  async #list(told: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const listed = new Map<string, T>()
    for await (const { value } of this.#options.find(false, signal)) listed.set(value.name, value)
    for (const name of [...this.#values.keys()]) if (!listed.has(name) && !told.has(name)) this.#values.delete(name)
    for (const [name, value] of listed) if (!told.has(name)) this.#values.set(name, value)
    this.#lostMs = undefined
  }
}
