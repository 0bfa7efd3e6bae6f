/** The highest rate that a path carries, found by trials. */

export interface Search {
  /** Where to begin; nearer to the answer is sooner done. */
  readonly start: number
  /** How far the first steps go: each time this many times the last rate. */
  readonly step: number
  /** Ends when the lowest bad rate is at most this many times the highest good one. */
  readonly precision: number
  readonly least: number
  readonly most: number
}

/**
 * Steps up (or down) until one rate is carried and a higher one is not, then halves the distance. A rate that fails
 * gets a second chance: the scheduler may have put two threads of the path on one core just then.
 * @returns the highest rate that was carried; 0 when not even the least was
 */
export async function highestRate(carries: (rate: number) => Promise<boolean>, search: Search): Promise<number> {
  const works = async (rate: number) => (await carries(rate)) || (await carries(rate))
  const { least, most, step, precision } = search
  let good = 0
  let bad = Number.POSITIVE_INFINITY
  let rate = Math.min(most, Math.max(least, search.start))
  while (bad / good > precision) {
    if (await works(rate)) good = rate
    else bad = rate
    if (good >= most || bad <= least) break
    if (bad === Number.POSITIVE_INFINITY) rate = Math.min(most, good * step)
    else if (good === 0) rate = Math.max(least, bad / step)
    else rate = Math.sqrt(good * bad)
  }
  return good
}
