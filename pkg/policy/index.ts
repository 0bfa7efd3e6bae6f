/** Authorization decisions, based only on verified identities. Pure. */

export { type Exports, mayRequest, type ServiceAccess } from './may-request.ts'
export { EVERY_NODE, isRevokedBy } from './revocation.ts'
export { checkAllowed, type Policy, type PolicySource, withoutPolicy } from './policy-source.ts'
export { ACTIONS, type Action, type Decision, type Question } from './question.ts'
export { isNode, isRegistry, isWorkloadOf, nodeId, nodeNameOf, registryId } from './roles.ts'
