/** What the control plane is to reach on two cores, the load included; the one list. */

/** Figure name to what was measured. */
type Measured = ReadonlyMap<string, number>

export interface Goal {
  readonly bound: 'most' | 'least'
  readonly value: number
}

/** By figure; `_0_packed` and the like are left out of the names. Factors are of another figure of the same run. */
const GOALS: Readonly<Record<string, Goal>> = {
  request_near_p50_ms: { bound: 'most', value: 8 },
  request_far_p50_ms: { bound: 'most', value: 12 },
  request_near_per_s: { bound: 'least', value: 200 },
  request_far_per_s: { bound: 'least', value: 100 },
  opened_per_s: { bound: 'least', value: 200 },
  nsmd_heap_kib_a_wire: { bound: 'most', value: 16 },
  idle_cpu_percent: { bound: 'most', value: 2 },
  adoption_s: { bound: 'most', value: 3 },
  adoption_lost: { bound: 'most', value: 0 },
  find_p50_ms: { bound: 'most', value: 10 },
  find_16_p50_ms: { bound: 'most', value: 60 },
}

/** However many wires stand, another one takes this much of what it takes with none. */
const FLAT = 1.3
const P99_OF_P50 = 3

/** Undefined for a figure that has none, or whose counterpart was not measured. */
export function goalOf(figure: string, measured: Measured): Goal | undefined {
  const [, p99] = /^(request_\w+_)p99_ms_/.exec(figure) ?? []
  if (p99 !== undefined) return most(measured.get(figure.replace('p99', 'p50')), P99_OF_P50)
  const goal = GOALS[figure.replace(/(_to)?_\d+(_\w+)?$/, '')] ?? GOALS[figure]
  const [, name, standing, spread] = /^(request_\w+_p50_ms)_(\d+)_(\w+)$/.exec(figure) ?? []
  if (goal === undefined || name === undefined || standing === '0') return goal
  const flat = most(measured.get(`${name}_0_${spread}`), FLAT)
  return flat === undefined || flat.value > goal.value ? goal : flat
}

export function isReached({ bound, value }: Goal, measured: number): boolean {
  return bound === 'most' ? measured <= value : measured >= value
}

function most(counterpart: number | undefined, factor: number): Goal | undefined {
  return counterpart === undefined ? undefined : { bound: 'most', value: factor * counterpart }
}
