/** The tests in a policy file: a question, and how it must be decided. */
import { trustDomainOf } from '../../api/index.ts'
import type { Decision, Question } from '../question.ts'
import type { Effect } from '../rule.ts'
import { RulePolicy, type RulePolicyOptions } from '../rule-policy.ts'
import type { Place } from './mistakes.ts'

export interface PolicyTest {
  readonly name: string
  readonly place: Place
  /** The domain whose policy this is; empty for that of the caller. */
  readonly domain: string
  readonly question: Question
  readonly expected: Effect
  /** The rule that must decide; empty for none; undefined for whichever. */
  readonly rule: string | undefined
}

export interface TestResult {
  readonly test: PolicyTest
  readonly decision: Decision
  readonly isPassed: boolean
}

/** In whichever domain they run, tests are decided as in the domain that they name. */
export function runTests(
  tests: readonly PolicyTest[],
  options: Omit<RulePolicyOptions, 'domain'>,
): readonly TestResult[] {
  const policies = new Map<string, RulePolicy>()
  const policyOf = (domain: string) => {
    const policy = policies.get(domain) ?? new RulePolicy({ ...options, domain })
    policies.set(domain, policy)
    return policy
  }
  return tests.map((test) => run(test, policyOf(test.domain || trustDomainOf(test.question.caller))))
}

function run(test: PolicyTest, policy: RulePolicy): TestResult {
  const decision = policy.decide(test.question)
  const isExpected = decision.isAllowed === (test.expected === 'allow')
  return { test, decision, isPassed: isExpected && (test.rule === undefined || test.rule === decision.rule) }
}

/** What a failed test is told. */
export function failureText({ test, decision }: TestResult): string {
  const wanted = test.rule === undefined ? test.expected : `${test.expected} by ${test.rule || 'no rule'}`
  const found = `${decision.isAllowed ? 'allow' : 'deny'} by ${decision.rule || 'no rule'} (${decision.reason})`
  return `the test ${test.name} fails: it expects ${wanted}, and the policy says ${found}`
}
