/** The highest rate that a path carries, found by trials. */

export interface Search {
  /** Where to begin; nearer to the answer is sooner done. */
  readonly start: number
  /** How far the first steps go: each time this many times the last rate. */
  readonly step: number
  /** Ends when the lowest bad rate is at most this many times the best one. */
  readonly precision: number
  readonly least: number
  readonly most: number
}

/** Nearer to what was asked no sender comes. */
const REACHED = 0.98
/** One bad rate does not end the way up: which threads share a core differs from trial to trial. */
const MOST_BAD_IN_A_ROW = 2

/**
 * Steps up until two rates in a row are not carried, or down until one is, then halves the distance to the lowest bad
 * rate above the best. A rate that fails gets a second chance.
 * @param attempt resolves with the rate that was sent and carried; 0 when too much was lost
 * @returns the highest that was carried; 0 when not even the least was
 */
export async function highestRate(attempt: (rate: number) => Promise<number>, search: Search): Promise<number> {
  const tryTwice = async (rate: number) => {
    const first = await attempt(rate)
    return first >= rate * REACHED ? first : Math.max(first, await attempt(rate))
  }
  let { best, bad } = await stepUp(tryTwice, search)
  for (let rate = search.start; best === 0 && rate > search.least; ) {
    bad = rate
    rate = Math.max(search.least, rate / search.step)
    best = await tryTwice(rate)
  }
  while (best > 0 && bad / best > search.precision) {
    const rate = Math.sqrt(best * bad)
    const carried = await tryTwice(rate)
    if (carried < rate * REACHED || carried <= best) bad = rate
    best = Math.max(best, carried)
  }
  return best
}

async function stepUp(attempt: (rate: number) => Promise<number>, { start, step, most }: Search) {
  let best = 0
  const badRates: number[] = []
  for (let rate = start, inARow = 0; rate <= most && inARow < MOST_BAD_IN_A_ROW; rate *= step) {
    const carried = await attempt(rate)
    best = Math.max(best, carried)
    inARow = carried >= rate * REACHED ? 0 : inARow + 1
    if (inARow > 0) badRates.push(rate)
  }
  return { best, bad: Math.min(most, ...badRates.filter((rate) => rate > best)) }
}
