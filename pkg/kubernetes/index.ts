/** nsmesh in Kubernetes: the wires of the pods of a node, and the gate through which pods start. */
export type { Serve } from './annotations/serve.ts'
export type { AskedWire } from './annotations/wires.ts'
export { GatedNamespaces } from './gate/gated-namespaces.ts'
export { SlippedPods } from './gate/slipped-pods.ts'
export { StartGate } from './gate/start-gate.ts'
export { type Kept, type PodKeeper, type PodNamespaces, problemOf, type Tell, wireStates } from './pods/doors.ts'
export { endFormerWires } from './pods/end-former-wires.ts'
export { type ClusterOptions, type FollowedCluster, followCluster } from './pods/follow-cluster.ts'
export { KeptEndpoint, type OpenedEndpoint } from './pods/kept-endpoint.ts'
export { NeededIdentity } from './pods/needed-identity.ts'
export { NodePods, type NodePodsOptions, type PodStatus } from './pods/node-pods.ts'
export {
  accountOf,
  attestationOf,
  fullName,
  identityPath,
  type Pod,
  type PodAt,
  type PodCondition,
  type PodObject,
  type Sandbox,
  wireId,
} from './pods/pod.ts'
export { type PodEndpoint, PodEndpoints, podEndpointUrl } from './pods/pod-endpoints.ts'
export { PodReports, type PodReportsOptions } from './reports/pod-reports.ts'
