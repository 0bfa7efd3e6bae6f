/** What becomes of a request at a node: the chain that decides, and the connections that came of it. */
export type { AuthorizeParts } from './caller.ts'
export type { CandidateParts, LocalEndpoint } from './candidates.ts'
export { CLIENTS_PER_NAMER } from './limit-wires.ts'
export { type NetworkServiceParts, NodeNetworkService } from './network-service.ts'
export type { Directory, Forwarding, Hop, NextHops, Self, ServiceForClient } from './parts.ts'
