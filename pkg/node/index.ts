/**
 * What makes a machine a node of the mesh: who it is and whom it trusts, what becomes of its connections while they
 * stand, and what its operators see of it.
 */
export { administrators } from './administrators.ts'
export { type AuthorityClient, authorityClient, type Issued } from './authority-client.ts'
export { IdentityAgent, type IdentityAgentOptions } from './identity/identity-agent.ts'
export { type JoinToken, type NodeIdentityOptions, nodeIdentity } from './identity/node-identity.ts'
export { nodeKey } from './identity/node-key.ts'
export { otherAgent } from './identity/other-agent.ts'
export { type KeepUnderlaysOptions, keepUnderlays } from './keep-underlays.ts'
export { type NextHop, type NextHopOptions, NextHops } from './next-hops.ts'
export { administratorsOnly, type NodeServiceOptions, nodeService } from './node-service.ts'
export { type DeniedWire, type PolicyDiff, PolicyView, type PolicyViewOptions } from './policy-view.ts'
export { selfOf } from './self.ts'
export { endIncomplete, type IncompleteParts } from './supervision/end-incomplete.ts'
export { checkTrusted } from './supervision/end-untrusted.ts'
export { type SupervisionOptions, superviseConnections } from './supervision/supervise-connections.ts'
export { type FollowTrustOptions, followTrust, NodeTrust } from './trust/node-trust.ts'
export { joinParts } from './trust/trust-proto.ts'
export type { FederatedDomain, TrustState } from './trust/trust-state.ts'
export type { Condition } from './view/conditions.ts'
export { type NodeStatus, NodeView, type NodeViewOptions } from './view/node-view.ts'
export type { WireEndView, WireState, WireView } from './view/wire-view.ts'
