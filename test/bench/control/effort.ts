/** How much the control plane is put to: for figures worth to be published, for a look, or to see that it runs. */
export interface ControlEffort {
  /** Requests one after the other, of which the quantiles are taken. */
  readonly requests: number
  /** Wires that are opened for a rate. */
  readonly burst: number
  /** How many wires stand, fewest first. */
  readonly standing: readonly number[]
  /** How many wires stand when nsmd is killed. */
  readonly adopted: readonly number[]
  readonly idleSeconds: number
  /** Of the registry, 100 of each service. */
  readonly endpoints: number
  readonly limitMinutes: number
}

export const CONTROL_EFFORTS = {
  whole: {
    requests: 300,
    burst: 400,
    standing: [500, 1_000, 5_000, 10_000],
    adopted: [1_000, 3_000],
    idleSeconds: 10,
    endpoints: 100_000,
    limitMinutes: 90,
  },
  quick: {
    requests: 100,
    burst: 150,
    standing: [500, 1_000],
    adopted: [1_000],
    idleSeconds: 5,
    endpoints: 20_000,
    limitMinutes: 15,
  },
  smoke: {
    requests: 10,
    burst: 20,
    standing: [50],
    adopted: [50],
    idleSeconds: 0.5,
    endpoints: 1_000,
    limitMinutes: 5,
  },
} as const satisfies Readonly<Record<string, ControlEffort>>
