/** How domains and nodes join, whom a domain trusts, and what its registry says to those of other domains. */

export { Invitations } from './joining/invitations.ts'
export { decodeToken, type JoinKind, type JoinToken } from './joining/token.ts'
export { DomainLinks } from './links/domain-links.ts'
export type { Channels, RegistryChannel } from './links/registry-channels.ts'
export { type RegistryIdentityOptions, registryIdentity } from './registry-identity.ts'
export { type AuthorityHandlers, authorityHandlers } from './services/authority-service.ts'
export { type DomainsHandlers, domainsHandlers } from './services/domains-service.ts'
export { type FederationHandlers, federationHandlers } from './services/federation-service.ts'
export { federationSchema } from './store/schema.ts'
export { Trust, type TrustOptions } from './trust/trust.ts'
