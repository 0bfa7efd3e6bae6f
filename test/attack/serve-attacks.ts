/** The part of an attacking program that talks to the test (attacker.ts). */
import type { Outcomes } from './attacker.ts'

export type Count = (outcome: string) => void

/** @param attack until `isOver` */
export function serveAttacks(attack: (isOver: () => boolean, count: Count) => Promise<unknown>): void {
  process.on('message', async (ms: number) => {
    const untilMs = performance.now() + ms
    const outcomes = new Map<string, number>()
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    await attack(() => performance.now() >= untilMs, count)
    say(Object.fromEntries(outcomes))
  })
  process.once('disconnect', () => process.exit())
  say({})
}

function say(outcomes: Outcomes): void {
  process.send?.(outcomes)
}

/** Starts the call again and again, `loops` of them at a time. */
export async function inLoops(loops: number, isOver: () => boolean, call: (loop: number) => Promise<void>) {
  const run = async (loop: number) => {
    while (!isOver()) await call(loop)
  }
  await Promise.all(Array.from({ length: loops }, (_, loop) => run(loop)))
}
