/** How long honest calls take, alone and beside an attack, in turns, so that a busy machine is as busy for both. */
import { setPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

/** What is measured goes before other work of this machine, where we may say so. */
export function goFirst(): void {
  try {
    setPriority(-10)
  } catch {
    // Not root: a busy machine shows in the figures.
  }
}

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly samples: number
}

export interface Compared {
  readonly alone: Latency
  readonly beside: Latency
}

export interface Comparing {
  readonly call: () => Promise<unknown>
  /** Attacks for so long. */
  readonly attack: (ms: number) => Promise<unknown>
  readonly rounds: number
  readonly roundMs: number
  /** Between the calls: honest programs stay below their quota. */
  readonly pauseMs: number
}

export async function compareLatency({ call, attack, rounds, roundMs, pauseMs }: Comparing): Promise<Compared> {
  goFirst()
  const [alone, beside]: [number[], number[]] = [[], []]
  const measure = async (times: number[]) => {
    const untilMs = performance.now() + roundMs
    while (performance.now() < untilMs) {
      const startMs = performance.now()
      await call()
      times.push(performance.now() - startMs)
      await pause(pauseMs)
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    await measure(alone)
    await Promise.all([attack(roundMs), measure(beside)])
  }
  return { alone: latencyOf(alone), beside: latencyOf(beside) }
}

function latencyOf(times: number[]): Latency {
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.floor(times.length * part)] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), samples: times.length }
}
