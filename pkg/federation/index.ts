/** How domains and nodes join, whom a domain trusts, and how its registry talks to those of other domains. */
export { advertisedAddresses } from './advertised-addresses.ts'
export { agentIssuer, embeddedIssuer, type Issuer } from './issuer.ts'
export { Invitations } from './joining/invitations.ts'
export { decodeToken, type JoinToken } from './joining/token.ts'
export { type KubernetesPlatformOptions, kubernetesPlatform } from './platform/kubernetes.ts'
export type { Platform, PlatformNode } from './platform/platform.ts'
export { JoinedRegistries } from './registries/joined-registries.ts'
export {
  type RegistryChannel,
  type RegistryChannels,
  type RegistryChannelsOptions,
  registryChannels,
} from './registries/registry-channels.ts'
export type { AuthorityHandlers, Disk } from './services/authority-service.ts'
export { type DomainsHandlers, domainsHandlers } from './services/domains-service.ts'
export { type FederationHandlers, federationHandlers } from './services/federation-service.ts'
export { JOINING_METHODS, LATE_METHODS } from './services/joining-methods.ts'
export { readOnlyAuthority } from './services/read-only-authority.ts'
export { type KubeTrustStoreOptions, kubeTrustStore } from './store/kubernetes/kube-trust-store.ts'
export { federationRecords, federationTables } from './store/schema.ts'
export { sqliteTrustStore } from './store/sqlite-trust-store.ts'
export type { JoinKind, TrustRecord } from './store/trust-record.ts'
export type { TrustChange, TrustSnapshot, TrustStore } from './store/trust-store.ts'
export { ConnectedNodes } from './trust/connected-nodes.ts'
export { NodeAddresses, type NodeAddressesOptions } from './trust/node-addresses.ts'
export { recoversUntilMs } from './trust/recovery.ts'
export { Trust, type TrustOptions } from './trust/trust.ts'
export { TrustRecords, type TrustRecordsOptions } from './trust/trust-records.ts'
