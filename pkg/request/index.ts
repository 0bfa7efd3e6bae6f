/** What becomes of a request at a node: the chain that decides, and the connections that came of it. */
export type { AuthorizeParts } from './authorize.ts'
export type { CandidateParts, LocalEndpoint } from './candidates.ts'
export { type ConnectionRecord, ConnectionTable, type RecordStore, type TableEvent } from './connection-table.ts'
export { joinDomain, splitDomain } from './interdomain.ts'
export { keepRegistered } from './keep-registered.ts'

export { type NetworkServiceParts, NodeNetworkService } from './network-service.ts'
export { NodeEndpointRegistry, type NodeRegistryParts, NodeServiceRegistry } from './node-registries.ts'
export type { Directory, Forwarding, Hop, NextHops, PathTokens, Self, Target, Tunnel } from './parts.ts'
export { type PathTokenParts, pathTokens } from './path-tokens.ts'
export { type EndpointStore, type RegisteredEndpoint, RegisteredEndpoints } from './registered-endpoints.ts'
export { type RegistryClients, RegistryDirectory } from './registry-directory.ts'
export { connectionRecords, nodeStateMigrations, registeredEndpoints } from './sqlite-state.ts'
