import { NsmError } from '../../base/index.ts'

/** A place in a policy file; line and column count from 1. */
export interface Place {
  readonly path: string
  readonly line: number
  readonly column: number
}

/** As many as fit a log line; `nsmctl policy check` shows all. */
const MAX_SHOWN = 20

/** The mistakes of policy files, each with its place: all are told at once. */
export class Mistakes {
  readonly #found: string[] = []

  /** Each with its place in front. */
  get all(): readonly string[] {
    return this.#found
  }

  add({ path, line, column }: Place, text: string): void {
    this.#found.push(`${path}:${line}:${column}: ${text}`)
  }

  /** @throws {NsmError} `invalid_argument` with the first mistakes, when there is one */
  throwIfAny(): void {
    if (this.#found.length === 0) return
    const shown = this.#found.slice(0, MAX_SHOWN)
    const more = this.#found.length - shown.length
    const all = more === 0 ? shown : [...shown, `and ${more} more`]
    throw new NsmError('invalid_argument', `Cannot use the policy: ${all.join('; ')}`, {
      next: 'correct the file, then check it with: nsmctl policy check FILE',
    })
  }
}
