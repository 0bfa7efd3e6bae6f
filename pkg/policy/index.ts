/** Who may do what, decided from verified identities alone. Pure. */
export { type Exports, mayRequest, type ServiceAccess } from './may-request.ts'
export { isNode, isRegistry, isWorkloadOf, nodeId, nodeNameOf, registryId } from './roles.ts'
