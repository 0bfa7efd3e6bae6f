/** How a registry calls others. Given by who knows about channels and identities. */
import type { domainV1, EndpointRegistryClient, ServiceRegistryClient } from '../../api/index.ts'
import type { Bundles } from '../../identity/index.ts'
import type { ClientOf } from '../../rpc/index.ts'

export interface RegistryChannel {
  readonly federation: ClientOf<typeof domainV1.FederationService>
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
  close(): void | Promise<void>
}

export interface Channels {
  /** To the registry of a joined domain, whose identity is checked against `bundles`, or those of the moment. */
  member(address: string, domain: string, bundles?: Bundles): RegistryChannel
  /**
   * To a registry of which only the fingerprint of its authority is known: it must show a chain that ends in that
   * authority and is the identity of the registry of `domain`.
   */
  pinned(address: string, domain: string, fingerprint: string): RegistryChannel
}
