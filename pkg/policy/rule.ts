import { type Condition, evaluationProblem } from './condition/condition.ts'
import type { Facts } from './condition/facts.ts'
import type { Action } from './question.ts'

export const EFFECTS = ['allow', 'deny'] as const
export type Effect = (typeof EFFECTS)[number]

export interface Rule {
  /** Unique in a policy. */
  readonly name: string
  readonly effect: Effect
  readonly actions: readonly Action[]
  /** Undefined: always. */
  readonly condition: Condition | undefined
}

/** What a rule has to say; `no-answer` where its condition fails. */
export type Finding =
  | { readonly at: 'holds' }
  | { readonly at: 'does-not-hold' }
  | { readonly at: 'no-answer'; readonly problem: string }

export function judge({ condition }: Rule, facts: Facts): Finding {
  try {
    return condition === undefined || condition.holds(facts) ? { at: 'holds' } : { at: 'does-not-hold' }
  } catch (error) {
    return { at: 'no-answer', problem: evaluationProblem(error) }
  }
}

/** Whether the rule decides. Fails closed: without an answer, a rule that denies does, and one that allows does not. */
export function applies({ effect }: Rule, finding: Finding): boolean {
  return finding.at === 'holds' || (finding.at === 'no-answer' && effect === 'deny')
}
