import { NsmError } from './errors.ts'

export interface PlacesOptions {
  /** What a place is for, in words for people, such as `a search`. */
  readonly what: string
  readonly perHolder: number
  readonly total: number
}

/** Places that several holders share: nobody takes them all. */
export class Places {
  readonly #options: PlacesOptions
  readonly #taken = new Map<string, number>()
  #total = 0

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /**
   * @returns to be called once, when the place is free again
   * @throws {NsmError} `resource_exhausted` when the holder has its share, or none is left
   */
  take(holder: string): () => void {
    const { what, perHolder, total } = this.#options
    const taken = this.#taken.get(holder) ?? 0
    if (taken >= perHolder || this.#total >= total) {
      throw new NsmError('resource_exhausted', `Cannot begin ${what}: too many are under way`, {
        fields: { holder, own: taken, most: perHolder, all: this.#total },
        next: 'end those that are not needed, and try again',
      })
    }
    this.#taken.set(holder, taken + 1)
    this.#total += 1
    return () => this.#leave(holder)
  }

  #leave(holder: string): void {
    const left = (this.#taken.get(holder) ?? 0) - 1
    if (left > 0) this.#taken.set(holder, left)
    else this.#taken.delete(holder)
    this.#total -= 1
  }
}
