/**
 * The reading of all searches, in pages: a search through thousands of records must not keep every other call waiting.
 *
 *     a page, of one caller after the other --> other calls, for a turn of the event loop --> a page ...
 *                                   '--> its caller rests for as long as the page took
 *
 * What a page costs is more than its reading: its records are encoded and sent before its search asks for the next one.
 * All of that is done by the next turn of the event loop, so there is one page in each, and its time is taken there. Only
 * the caller that used the time rests: who asks for one record does not wait for the thousands of another.
 */
import { type Clock, systemClock } from '../../base/index.ts'

/** What a caller may use before it rests. */
const TURN_MS = 1

interface Caller {
  readonly pages: (() => void)[]
  usedMs: number
  restsUntilMs: number
}

export class SearchTurns {
  /** Those that search or rest; who has waited longest for a turn comes first. */
  readonly #callers = new Map<string, Caller>()
  readonly #clock: Pick<Clock, 'monotonicMs' | 'after'>
  #isBusy = false
  #cancelWaking = () => {}

  /** @param clock What a search costs is time of this machine, whatever clock the registry goes by. */
  constructor(clock: Pick<Clock, 'monotonicMs' | 'after'> = systemClock) {
    this.#clock = clock
  }

  /** Runs `read` when it is its caller's turn: at once where nobody searches. */
  run<T>(caller: string, read: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const known = this.#callers.get(caller) ?? { pages: [], usedMs: 0, restsUntilMs: 0 }
      this.#callers.set(caller, known)
      known.pages.push(() => void read().then(resolve, reject))
      if (!this.#isBusy) this.#turn()
    })
  }

  #turn(): void {
    this.#cancelWaking()
    const startMs = this.#clock.monotonicMs()
    const next = this.#next(startMs)
    this.#isBusy = next !== undefined
    if (next === undefined) this.#wakeAfterRest(startMs)
    else this.#run(next, startMs)
  }

  #run(next: Caller, startMs: number): void {
    next.pages.shift()?.()
    setImmediate(() => {
      const endMs = this.#clock.monotonicMs()
      next.usedMs += endMs - startMs
      if (next.usedMs >= TURN_MS) {
        next.restsUntilMs = endMs + next.usedMs
        next.usedMs = 0
      }
      this.#turn()
    })
  }

  /** Who has the next turn; it goes behind all others, and those that neither search nor rest are forgotten. */
  #next(atMs: number): Caller | undefined {
    for (const [name, caller] of this.#callers) {
      if (caller.restsUntilMs > atMs) continue
      this.#callers.delete(name)
      if (caller.pages.length === 0) continue
      this.#callers.set(name, caller)
      return caller
    }
    return undefined
  }

  #wakeAfterRest(atMs: number): void {
    if (this.#callers.size === 0) return
    const untilMs = Math.min(...[...this.#callers.values()].map(({ restsUntilMs }) => restsUntilMs))
    this.#cancelWaking = this.#clock.after(untilMs - atMs, () => this.#turn())
  }
}
