/**
 * A policy of rules. For one question, in this order:
 *
 *     1. the first rule that denies it            denied
 *     2. the first rule that allows it            allowed, for callers of this domain; see mayOpen
 *     3. the default: of the policy, where it has one for callers of this domain, else of whoever asks
 *
 * INVARIANT: no rule opens a service to another domain. An invitation and an export do that, as the default of the
 * question, and a policy can only take away from it.
 */
import { trustDomainOf } from '../api/index.ts'
import { describeError } from '../base/index.ts'
import { type Facts, factsOf } from './condition/facts.ts'
import { defaultDecision, type Policy } from './policy-source.ts'
import { ACTIONS, type Action, type Decision, type Question } from './question.ts'
import { RelevantRules } from './relevant-rules.ts'
import { isNode, isRegistry } from './roles.ts'
import { applies, type Effect, type Finding, judge, type Rule } from './rule.ts'

export interface RulePolicyOptions {
  /** The name of this domain. */
  readonly domain: string
  readonly rules: readonly Rule[]
  /** What holds for callers of this domain where no rule decides. */
  readonly defaults: ReadonlyMap<Action, Effect>
}

/** A rule, and what it says of one question. */
export interface RuleFinding {
  readonly rule: Rule
  readonly finding: Finding
}

export class RulePolicy implements Policy {
  readonly domain: string
  readonly rules: readonly Rule[]
  readonly #defaults: ReadonlyMap<Action, Effect>
  readonly #relevant: ReadonlyMap<Action, RelevantRules>

  /** @throws {NsmError} `resource_exhausted` when a decision could take too long */
  constructor({ domain, rules, defaults }: RulePolicyOptions) {
    this.domain = domain
    this.rules = rules
    this.#defaults = defaults
    this.#relevant = new Map(ACTIONS.map((action) => [action, new RelevantRules(action, rules)]))
  }

  decide(question: Question): Decision {
    const { action, service = '' } = question
    const rules = this.#relevant.get(action)?.for(service) ?? []
    if (rules.length === 0) return this.#byDefault(question)
    try {
      return this.#byRules(rules, factsOf(question, this.domain)) ?? this.#byDefault(question)
    } catch (error) {
      return { isAllowed: false, rule: '', reason: describeError(error) }
    }
  }

  /** What every rule for the action says. @throws {NsmError} when the question cannot be weighed */
  findings(question: Question): readonly RuleFinding[] {
    const facts = factsOf(question, this.domain)
    const rules = this.rules.filter(({ actions }) => actions.includes(question.action))
    return rules.map((rule) => ({ rule, finding: judge(rule, facts) }))
  }

  #byRules(rules: readonly Rule[], facts: Facts): Decision | undefined {
    const first = (effect: Effect) => rules.find((rule) => rule.effect === effect && applies(rule, judge(rule, facts)))
    const denying = first('deny')
    if (denying !== undefined) return { isAllowed: false, rule: denying.name, reason: reasonOf(denying, facts) }
    const allowing = this.#mayOpen(facts.action, facts.caller.domain) ? first('allow') : undefined
    return allowing && { isAllowed: true, rule: allowing.name, reason: 'the rule allows it' }
  }

  #byDefault(question: Question): Decision {
    const { action, caller } = question
    const isDenied = this.#mayOpen(action, trustDomainOf(caller)) && this.#defaults.get(action) === 'deny'
    if (!isDenied || this.#isOfMesh(question)) return defaultDecision(question)
    return { isAllowed: false, rule: '', reason: "no rule allows it, and the policy's default denies it" }
  }

  /**
   * Another domain federates only once an operator has invited it: there, a policy chooses among what is open already. It
   * gets a wire only where it may request the service: what that wire may carry is the policy's to say.
   */
  #mayOpen(action: string, callerDomain: string): boolean {
    return callerDomain === this.domain || action === 'federate' || action === 'route'
  }

  /** Without a view of the registry and of each other's wires, the nodes of a domain are no mesh. */
  #isOfMesh({ action, caller }: Question): boolean {
    return action === 'watch' && (isRegistry(caller, this.domain) || isNode(caller, this.domain))
  }
}

function reasonOf(rule: Rule, facts: Facts): string {
  const finding = judge(rule, facts)
  return finding.at === 'no-answer'
    ? `the condition of the rule has no answer: ${finding.problem}`
    : 'the rule denies it'
}
