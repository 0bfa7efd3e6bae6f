/** What load.ts and who steers it say to each other. */

/** Wires stand for as long as a run takes, without a refresh. */
export const LIFETIME_MS = 3_500_000

export interface LoadOrder {
  readonly service: string
  /** Number of the first wire: its interface is `w<number>`. */
  readonly first: number
  readonly count: number
  /** Requests under way at a time. */
  readonly atATime: number
  /** Each as soon as it stands, all at the end, or none. */
  readonly closed: 'each' | 'all' | 'none'
}

export interface LoadReport {
  /** How long each Request took. */
  readonly openMs: readonly number[]
  readonly seconds: number
}
