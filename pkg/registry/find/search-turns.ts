/**
 * The reading of all searches, in pages: a search through thousands of records must not keep every other call waiting.
 *
 *     pages for a millisecond, of one caller after the other --> a rest for all other calls, as long --> pages ...
 */
import { systemClock } from '../../base/index.ts'

const TURN_MS = 1

export class SearchTurns {
  /** The pages that wait, by caller; the caller whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #isResting = false

  /** Runs `read` when it is its caller's turn: at once where nobody searches. */
  run<T>(caller: string, read: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pages = this.#waiting.get(caller) ?? []
      pages.push(() => read().then(resolve, reject))
      this.#waiting.set(caller, pages)
      if (!this.#isResting) this.#turn()
    })
  }

  #turn(): void {
    const startMs = systemClock.monotonicMs()
    let usedMs = 0
    while (usedMs < TURN_MS && this.#waiting.size > 0) {
      this.#runNext()
      usedMs = systemClock.monotonicMs() - startMs
    }
    this.#isResting = true
    const onRested = () => {
      this.#isResting = false
      if (this.#waiting.size > 0) this.#turn()
    }
    // What a search costs is time of this machine, whatever clock the registry goes by.
    if (usedMs < TURN_MS) setImmediate(onRested)
    else systemClock.after(usedMs, onRested)
  }

  #runNext(): void {
    for (const [caller, pages] of this.#waiting) {
      const page = pages.shift()
      this.#waiting.delete(caller)
      if (pages.length > 0) this.#waiting.set(caller, pages)
      page?.()
      return
    }
  }
}
