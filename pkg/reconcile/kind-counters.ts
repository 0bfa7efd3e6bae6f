/** Counts the writes to the outside world per kind. A restart that finds everything in order writes nothing. */
export interface KindCounts {
  readonly applies: number
  readonly removes: number
  readonly failures: number
}

export class KindCounters {
  readonly #counts = new Map<string, Record<keyof KindCounts, number>>()

  constructor(kinds: Iterable<string>) {
    for (const kind of kinds) this.#counts.set(kind, { applies: 0, removes: 0, failures: 0 })
  }

  count(kind: string, what: keyof KindCounts): void {
    const counts = this.#counts.get(kind)
    if (counts !== undefined) counts[what] += 1
  }

  get all(): ReadonlyMap<string, KindCounts> {
    return new Map([...this.#counts].map(([kind, counts]) => [kind, { ...counts }]))
  }

  get writes(): number {
    return [...this.#counts.values()].reduce((sum, { applies, removes }) => sum + applies + removes, 0)
  }
}
