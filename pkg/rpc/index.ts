/**
 * gRPC over mutual TLS with SPIFFE identities. A server knows the caller of every call, and a client the server of
 * every connection. Both accept only identities that are verified, unexpired, trusted and not revoked at that moment.
 */
export { type CallQuota, CallQuotas, callQuota } from './call-quota.ts'
export { type Callee, Channel, type ClientSecurity, type DialOptions, type HolderDial } from './channel.ts'
export { Channels, type ChannelsOptions, type PeerOptions } from './channels.ts'
export { clientOf } from './client.ts'
export type { ClientOf, Handlers, ServiceDefinition } from './definition.ts'
export { type HandoverOptions, serveHandovers } from './handover.ts'
export { Health } from './health.ts'
export { implement, type Service } from './implement.ts'
export { InProcess, type InProcessOptions } from './in-process.ts'
export { type Listener, listen } from './listen.ts'
export type { MutualTls } from './mutual-tls.ts'
export {
  endpointRegistryClient,
  monitorClient,
  networkServiceClient,
  serviceRegistryClient,
} from './nsm-clients.ts'
export {
  endpointRegistryService,
  monitorService,
  networkService,
  serviceRegistryService,
} from './nsm-services.ts'
export { type ServeOptions, type Server, serve } from './serve.ts'
export { type WorkloadIdentities, workloadApiService } from './workload-api-server.ts'
export { type WorkloadApiOptions, workloadApiSource } from './workload-api-source.ts'
