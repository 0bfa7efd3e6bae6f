/**
 * Runs tasks with the same key one after the other, in order of arrival, and tasks with different keys concurrently.
 * With it the Request, Close, refresh and expiry of one connection never overlap.
 */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** The number of keys that have a waiting or running task. */
  get size(): number {
    return this.#tails.size
  }

  /** Whether a task of `key` is waiting or running. */
  has(key: string): boolean {
    return this.#tails.has(key)
  }

  /** Runs `task` after all earlier tasks of `key`, even if those failed. */
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

  /** Resolves when no task is waiting or running. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }
}
