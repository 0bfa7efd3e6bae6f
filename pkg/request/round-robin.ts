/**
 * The order in which endpoints are tried: each request begins with the next one, and those that did not answer lately
 * come last, so that one dead node does not delay every request.
 */

import type { Clock } from '../base/index.ts'
import type { Target } from '../connections/index.ts'

const AVOID_MS = 10_000
/** Services and addresses that are remembered; beyond that the oldest is forgotten, which only costs its turn. */
const MOST = 10_000

export class RoundRobin {
  readonly #clock: Clock
  readonly #next = new Map<string, number>()
  readonly #avoidUntilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  order(service: string, targets: readonly Target[]): readonly Target[] {
    if (targets.length < 2) return targets
    const turn = (this.#next.get(service) ?? 0) % targets.length
    remember(this.#next, service, turn + 1)
    const rotated = [...targets.slice(turn), ...targets.slice(0, turn)]
    return [
      ...rotated.filter((target) => !this.#isAvoided(target)),
      ...rotated.filter((target) => this.#isAvoided(target)),
    ]
  }

  /** The target could not be reached. */
  avoid({ url }: Target): void {
    remember(this.#avoidUntilMs, url, this.#clock.monotonicMs() + AVOID_MS)
  }

  #isAvoided({ url }: Target): boolean {
    return (this.#avoidUntilMs.get(url) ?? 0) > this.#clock.monotonicMs()
  }
}

function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > MOST && oldest !== undefined) map.delete(oldest)
}
