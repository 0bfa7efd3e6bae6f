/** A domain's registry: network services and their endpoints, behind NSM's two registry services. */
export { EndpointRegistry, type EndpointRegistryOptions } from './endpoint-registry.ts'

export type { RegistryOptions } from './options.ts'
export { OtherDomains, type OtherDomainsOptions, type OtherRegistry } from './other-domains.ts'

export { removeOwned } from './remove-owned.ts'
export { registrySchema } from './schema.ts'
export { ServiceRegistry } from './service-registry.ts'
export { sqliteStore } from './sqlite-store.ts'
export type { RegistryStore } from './store.ts'
export type { ExportSource } from './view.ts'
