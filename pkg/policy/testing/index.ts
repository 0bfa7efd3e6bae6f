/** For the tests of other folders. */
export { decideByReference, type ReferenceRule, type Tree, toCel, type Variable } from './reference-policy.ts'
export { policyOf, TestPolicies } from './test-policies.ts'
