/** For the tests of other folders. */
export { TestPolicies } from './test-policies.ts'
