/** Decides when to observe the world: soon after a change, after a failed observation, and every few minutes. */
import { Backoff, type Clock, type Logger } from '../base/index.ts'

export interface RoundsOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: () => number
  /** Both return the failures of individual places. */
  readonly look: (places: ReadonlySet<string>) => Promise<readonly unknown[]>
  readonly lookAtAll: () => Promise<readonly unknown[]>
}

type Look = () => Promise<readonly unknown[]>

/** Changes come in bursts, including our own. All changes within this time share one observation. */
const GATHER_MS = 50
const FULL_ROUND_MS = 180_000

export class Rounds {
  readonly #options: RoundsOptions
  readonly #backoff: Backoff
  readonly #running = new Set<Promise<void>>()
  #changed = new Set<string>()
  #hasAllChanged = false
  #cancelGather: (() => void) | undefined
  #cancelRound: () => void = () => {}
  #isOpen = false

  constructor(options: RoundsOptions) {
    this.#options = options
    this.#backoff = new Backoff({ firstMs: 200, maxMs: 30_000, ...(options.random && { random: options.random }) })
  }

  start(): void {
    this.#isOpen = true
    this.#scheduleRound(FULL_ROUND_MS)
  }

  changed(place?: string): void {
    if (!this.#isOpen) return // the first observation is still to come
    if (place === undefined) this.#hasAllChanged = true
    else this.#changed.add(place)
    this.#cancelGather ??= this.#options.clock.after(GATHER_MS, () => this.#run(this.#gathered()))
  }

  async close(): Promise<void> {
    this.#isOpen = false
    this.#cancelGather?.()
    this.#cancelRound()
    await Promise.all(this.#running)
  }

  #gathered(): Look {
    const places = this.#changed
    const isAll = this.#hasAllChanged
    this.#changed = new Set()
    this.#hasAllChanged = false
    this.#cancelGather = undefined
    return () => (isAll ? this.#options.lookAtAll() : this.#options.look(places))
  }

  #scheduleRound(ms: number): void {
    this.#cancelRound()
    const jittered = ms * (0.75 + (this.#options.random ?? Math.random)() / 2)
    this.#cancelRound = this.#options.clock.after(jittered, () => this.#run(() => this.#options.lookAtAll()))
  }

  #run(look: Look): void {
    const running = this.#look(look).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** After a failure everything is observed again, with backoff. */
  async #look(look: Look): Promise<void> {
    let nextMs = FULL_ROUND_MS
    try {
      const failures = await look()
      if (failures.length > 0) throw new AggregateError(failures)
      this.#backoff.reset()
    } catch (error) {
      nextMs = this.#backoff.next()
      if (this.#isOpen) this.#options.logger.warn('Cannot observe every place, retrying', { error, nextMs })
    }
    if (this.#isOpen) this.#scheduleRound(nextMs)
  }
}
