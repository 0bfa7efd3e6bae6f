/**
 * Those who are told of each change of a thing. The fault of one is its own: the others are told all the same, and so is
 * whoever made the change. The fault surfaces as an exception that nobody caught, which a daemon reports and survives.
 */
export class Listeners<A extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: A) => void>()

  get size(): number {
    return this.#listeners.size
  }

  /** Returns the function that removes it. */
  add(listener: (...args: A) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(...args: A): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...args)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
