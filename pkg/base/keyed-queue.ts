/**
 * Runs tasks of the same key one after the other in the order they came, tasks of different keys side by side.
 * This is what keeps Request, Close, refresh and expiry of one connection from overlapping.
 */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Keys with a task that waits or runs. */
  get size(): number {
    return this.#tails.size
  }

  /** Runs `task` after all earlier tasks of `key`, whether those succeeded or not. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const result = before.then(task, task)
    const tail = result.catch(() => {})
    this.#tails.set(key, tail)
    tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    return result
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }
}
