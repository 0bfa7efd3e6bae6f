/**
 * The vocabulary of the mesh: domain types, the services as plain interfaces, and their protobuf messages. The
 * `…FromProto` functions convert messages of NSM v1 into domain types and refuse invalid ones. Our own services use
 * their generated messages directly, one namespace per proto package.
 */
export type {
  Connection,
  ConnectionEvent,
  ConnectionEventType,
  ConnectionRequest,
  ConnectionState,
  Labels,
  Mechanism,
  MonitorScopeSelector,
  Path,
  PathSegment,
} from './connection.ts'
export {
  type ConnectionContext,
  type DnsConfig,
  type EthernetContext,
  type ExtraPrefixRequest,
  emptyContext,
  emptyIpContext,
  type IpContext,
  type PolicyRoute,
  type Route,
} from './connection-context.ts'
export {
  connectionFromProto,
  connectionToProto,
  eventFromProto,
  eventToProto,
  requestFromProto,
  requestToProto,
  selectorFromProto,
  selectorToProto,
} from './convert/connection.ts'
export { MAX_MESSAGE_BYTES, MAX_PATH_SEGMENTS, MAX_TOKEN_CHARS } from './convert/field-checks.ts'
export {
  endpointFromProto,
  endpointQueryFromProto,
  endpointQueryToProto,
  endpointToProto,
  foundEndpointFromProto,
  foundEndpointToProto,
  foundServiceFromProto,
  foundServiceToProto,
  serviceFromProto,
  serviceQueryFromProto,
  serviceQueryToProto,
  serviceToProto,
} from './convert/registration.ts'
export { type ProtoTime, timeFromProto, timeToProto } from './convert/time.ts'
export * as connectionProto from './gen/connection/connection.ts'
export * as contextProto from './gen/connectioncontext/connectioncontext.ts'
export * as healthV1 from './gen/health/health.ts'
export * as ipamProto from './gen/ipam/ipam.ts'
export * as networkServiceProto from './gen/networkservice/networkservice.ts'
export * as authorityV1 from './gen/nsmesh/authority/v1/authority.ts'
export * as domainV1 from './gen/nsmesh/domain/v1/domain.ts'
export * as nodeV1 from './gen/nsmesh/node/v1/node.ts'
export * as registryProto from './gen/registry/registry.ts'
export * as workloadProto from './gen/workload/workload.ts'
export { isPayload, PAYLOAD_ETHERNET, PAYLOAD_IP, type Payload } from './payload.ts'
export type {
  Destination,
  Found,
  Match,
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceQuery,
} from './registration.ts'
export { asConnecting, isConnecting } from './seen-wire.ts'
export type {
  Attestation,
  Call,
  EndpointRegistryClient,
  EndpointRegistryServer,
  MonitorClient,
  MonitorServer,
  NetworkServiceClient,
  NetworkServiceServer,
  Outgoing,
  Peer,
  RegistrationPath,
  RegistryClient,
  RegistryServer,
  ServiceRegistryClient,
  ServiceRegistryServer,
  Token,
  TokenBinding,
} from './services.ts'
export { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'
export { trustDomainOf } from './trust-domain.ts'
