/** What finds registrations, and what keeps those of this node: between its endpoints, its chain, and the registry. */
export { endpointRecords, endpointsSchema } from './endpoint-records.ts'
export { keepRegistered } from './keep-registered.ts'
export {
  NodeEndpointRegistry,
  type NodeRegistryParts,
  NodeServiceRegistry,
  type RegisteringNode,
} from './node-registries.ts'
export { type EndpointStore, type RegisteredEndpoint, RegisteredEndpoints } from './registered-endpoints.ts'
export { type RegistryClients, RegistryDirectory } from './registry-directory.ts'
