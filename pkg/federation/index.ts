/** How domains and nodes join, whom a domain trusts, and what its registry says to those of other domains. */
export { type AuthorityHandlers, authorityHandlers } from './authority-service.ts'
export { DomainLinks } from './domain-links.ts'
export { type DomainsHandlers, domainsHandlers } from './domains-service.ts'
export type { Channels, RegistryChannel } from './doors.ts'
export { type FederationHandlers, federationHandlers } from './federation-service.ts'

export { Invitations } from './invitations.ts'
export { federationSchema } from './schema.ts'
export { decodeToken, type JoinKind, type JoinToken } from './token.ts'
export { Trust, type TrustOptions } from './trust.ts'
