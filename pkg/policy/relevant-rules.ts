import { NsmError } from '../base/index.ts'
import type { Action } from './question.ts'
import type { Rule } from './rule.ts'

/** The most steps of one decision: about a millisecond. */
const MAX_STEPS = 10_000

/** The rules that can decide about one action, found by the service that they are about. */
export class RelevantRules {
  readonly #rules: readonly Rule[]
  /** Rules that can hold for any service. */
  readonly #general: readonly Rule[]
  readonly #named = new Map<string, Set<Rule>>()
  /** What was merged for a service that rules name: no more of them than rules name. */
  readonly #merged = new Map<string, readonly Rule[]>()

  /** @throws {NsmError} `resource_exhausted` when a decision could take too long */
  constructor(action: Action, rules: readonly Rule[]) {
    this.#rules = rules.filter(({ actions }) => actions.includes(action))
    this.#general = this.#rules.filter(({ condition }) => condition?.services === undefined)
    for (const rule of this.#rules) this.#index(rule)
    const general = stepsOf(this.#general)
    const named = Math.max(0, ...[...this.#named.values()].map(stepsOf))
    if (general + named > MAX_STEPS) throw tooLong(action, general + named)
  }

  /** In the order in which they were written. */
  for(service: string): readonly Rule[] {
    const named = this.#named.get(service)
    if (named === undefined) return this.#general
    const known = this.#merged.get(service)
    if (known !== undefined) return known
    const merged = this.#rules.filter((rule) => rule.condition?.services === undefined || named.has(rule))
    this.#merged.set(service, merged)
    return merged
  }

  #index(rule: Rule): void {
    for (const service of rule.condition?.services ?? []) {
      const rules = this.#named.get(service) ?? new Set()
      this.#named.set(service, rules.add(rule))
    }
  }
}

function stepsOf(rules: Iterable<Rule>): number {
  return [...rules].reduce((sum, { condition, prefixes = [] }) => sum + (condition?.steps ?? 1) + prefixes.length, 0)
}

function tooLong(action: Action, steps: number): NsmError {
  return new NsmError('resource_exhausted', 'Cannot use the policy: one decision could take too long', {
    fields: { action, steps, max: MAX_STEPS },
    next: `let conditions begin with service == "…", so that only those of the service are evaluated`,
  })
}
