import { contains, overlaps, type Prefix } from '../net/index.ts'
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
  /** Of `route`, what the rule is about; undefined: any prefix. */
  readonly prefixes?: readonly Prefix[] | undefined
  /** Undefined: always. */
  readonly condition: Condition | undefined
}

/** What a rule has to say; `no-answer` where its condition fails. */
export type Finding =
  | { readonly at: 'holds' }
  | { readonly at: 'does-not-hold' }
  | { readonly at: 'no-answer'; readonly problem: string }

export function judge(rule: Rule, facts: Facts): Finding {
  const { condition } = rule
  if (!isAbout(rule, facts.prefix)) return { at: 'does-not-hold' }
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

/** A rule that allows is about what lies within its prefixes, one that denies about what shares an address with them. */
function isAbout({ effect, prefixes }: Rule, asked: Prefix | undefined): boolean {
  if (prefixes === undefined) return true
  if (asked === undefined) return effect === 'deny'
  if (effect === 'deny') return prefixes.some((each) => overlaps(each, asked))
  return prefixes.some((each) => each.length <= asked.length && contains(each, asked.address))
}
