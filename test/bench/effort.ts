/** How much is measured: for figures worth to be published, for a look, or only to see that everything runs. */

export interface Effort {
  readonly rounds: number
  /** How long a flow is measured. */
  readonly bulkSeconds: number
  /** How long one trial of a search takes. */
  readonly trialSeconds: number
  /** A search ends when the lowest bad rate is at most this many times the highest good one. */
  readonly precision: number
  /** How long idle wires are watched. */
  readonly idleSeconds: number
  /** Also measure wires that are idle but for their keepalives. */
  readonly keepsAlive: boolean
  /** A bench that takes longer is stuck. */
  readonly limitMinutes: number
}

export const EFFORTS = {
  whole: {
    rounds: 5,
    bulkSeconds: 4,
    trialSeconds: 0.5,
    precision: 1.03,
    idleSeconds: 10,
    keepsAlive: true,
    limitMinutes: 90,
  },
  quick: {
    rounds: 3,
    bulkSeconds: 1,
    trialSeconds: 0.15,
    precision: 1.06,
    idleSeconds: 1,
    keepsAlive: false,
    limitMinutes: 15,
  },
  smoke: {
    rounds: 1,
    bulkSeconds: 1,
    trialSeconds: 0.05,
    precision: 2,
    idleSeconds: 0.5,
    keepsAlive: true,
    limitMinutes: 5,
  },
} as const satisfies Readonly<Record<string, Effort>>
