/** Authorization decisions, based only on verified identities. Pure. */
export { type Condition, ConditionError, compileCondition } from './condition/condition.ts'
export { CLAIMS_FIELDS, IDENTITY_FIELDS, VARIABLES } from './condition/variables.ts'
export {
  checkExportCondition,
  compileExportConditions,
  type ExportConditions,
  eitherCondition,
  forClients,
  isAdmitted,
} from './export-conditions.ts'
export { type CheckedPolicy, checkPolicy, loadPolicy } from './file/load-policy.ts'
export type { PolicyTest, TestResult } from './file/policy-test.ts'
export type { SourceText } from './file/yaml-reader.ts'
export { type Exports, mayRequest, type ServiceAccess } from './may-request.ts'
export { PolicyFiles, type PolicyFilesOptions } from './policy-files.ts'
export { checkAllowed, type Policy, type PolicySource, withoutPolicy } from './policy-source.ts'
export { ACTIONS, type Action, type Decision, federateQuestion, type Question } from './question.ts'
export { EVERY_NODE, isRevokedBy } from './revocation.ts'
export { isNode, isRegistry, isWorkloadOf, nodeId, nodeNameOf, registryId, shareOf } from './roles.ts'
export type { Finding, Rule } from './rule.ts'
export { type RuleFinding, RulePolicy } from './rule-policy.ts'
