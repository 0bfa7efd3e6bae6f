/** A set of names in their order. To add or to remove one costs a search and a move of memory. */
export class SortedNames {
  readonly #names: string[] = []

  get size(): number {
    return this.#names.length
  }

  add(name: string): void {
    const at = this.#firstFrom(name)
    if (this.#names[at] !== name) this.#names.splice(at, 0, name)
  }

  delete(name: string): void {
    const at = this.#firstFrom(name)
    if (this.#names[at] === name) this.#names.splice(at, 1)
  }

  /** At most so many that come after `name`. */
  after(name: string, most = Number.POSITIVE_INFINITY): readonly string[] {
    const at = this.#firstFrom(name)
    const start = this.#names[at] === name ? at + 1 : at
    return this.#names.slice(start, start + most)
  }

  /** The index of the first name that does not come before `name`. */
  #firstFrom(name: string): number {
    let [low, high] = [0, this.#names.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#names[middle] ?? '') < name) low = middle + 1
      else high = middle
    }
    return low
  }
}
