/** From the text of policy files to a policy that is in order: it parses, its conditions type-check, its tests pass. */
import { describeError } from '../../base/index.ts'
import { RulePolicy } from '../rule-policy.ts'
import { Mistakes } from './mistakes.ts'
import { failureText, runTests, type TestResult } from './policy-test.ts'
import { type ReadPolicy, readPolicy } from './read-policy.ts'
import type { SourceText } from './yaml-reader.ts'

export interface CheckedPolicy {
  /** Undefined where there is a mistake. */
  readonly policy: RulePolicy | undefined
  /** Each with file, line and column; among them the tests that failed. */
  readonly mistakes: readonly string[]
  /** Of the policy's own tests; empty where it cannot be read. */
  readonly results: readonly TestResult[]
}

/** Finds every mistake in policy files, without an error. */
export function checkPolicy(sources: readonly SourceText[], domain: string): CheckedPolicy {
  const mistakes = new Mistakes()
  const read = readPolicy(sources, mistakes)
  if (mistakes.all.length > 0) return { policy: undefined, mistakes: mistakes.all, results: [] }
  try {
    const { policy, results } = loadRead(read, domain, mistakes)
    return { policy: mistakes.all.length > 0 ? undefined : policy, mistakes: mistakes.all, results }
  } catch (error) {
    return { policy: undefined, mistakes: [describeError(error)], results: [] }
  }
}

/**
 * @throws {NsmError} `invalid_argument` with the file, line and column of every mistake and failed test;
 *   `resource_exhausted` when a decision could take too long.
 */
export function loadPolicy(sources: readonly SourceText[], domain: string): RulePolicy {
  const mistakes = new Mistakes()
  const read = readPolicy(sources, mistakes)
  mistakes.throwIfAny()
  const { policy } = loadRead(read, domain, mistakes)
  mistakes.throwIfAny()
  return policy
}

function loadRead({ rules, defaults, tests }: ReadPolicy, domain: string, mistakes: Mistakes) {
  const policy = new RulePolicy({ domain, rules, defaults })
  const results = runTests(tests, { rules, defaults })
  for (const result of results) if (!result.isPassed) mistakes.add(result.test.place, failureText(result))
  return { policy, results }
}
