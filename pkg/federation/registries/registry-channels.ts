/** How a registry calls the registries of other domains. Each is held to being the registry of its domain. */
import { domainV1, type EndpointRegistryClient, type ServiceRegistryClient } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import { type Bundles, type IdentitySource, staticSource } from '../../identity/index.ts'
import type { Reach } from '../../net/index.ts'
import { isRegistry } from '../../policy/index.ts'
import {
  Channel,
  type ClientOf,
  type ClientSecurity,
  clientOf,
  endpointRegistryClient,
  serviceRegistryClient,
} from '../../rpc/index.ts'

export interface RegistryChannel {
  readonly federation: ClientOf<typeof domainV1.FederationService>
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
  close(): void | Promise<void>
}

export interface RegistryChannels {
  /** To the registry of a joined domain, whose identity is verified by `bundles`, or by our current ones. */
  member(address: string, domain: string, bundles?: Bundles): RegistryChannel
  /**
   * To a registry of which only the fingerprint of its authority is known: it must show a chain that ends in that
   * authority and is the identity of the registry of `domain`. It sees our own identity, and cannot verify it yet.
   */
  pinned(address: string, domain: string, fingerprint: string): RegistryChannel
}

export interface RegistryChannelsOptions {
  readonly identity: IdentitySource
  /** Which addresses other domains may make us call. */
  readonly reach: Reach
  readonly clock: Clock
}

export function registryChannels({ identity, reach, clock }: RegistryChannelsOptions): RegistryChannels {
  const open = (address: string, domain: string, security: ClientSecurity): RegistryChannel => {
    const channel = new Channel(`tcp://${address}`, { security, clock, who: `the registry of ${domain}` })
    return {
      federation: clientOf(domainV1.FederationService, channel),
      services: serviceRegistryClient(channel),
      endpoints: endpointRegistryClient(channel),
      close: () => channel.close(),
    }
  }
  return {
    member(address, domain, bundles) {
      const source = bundles === undefined ? identity : staticSource({ svid: identity.current().svid, bundles })
      return open(address, domain, {
        identity: source,
        mayReach: reach,
        expect: (spiffeId) => isRegistry(spiffeId, domain),
      })
    },
    pinned(address, domain, fingerprint) {
      const authoritySha256 = Buffer.from(fingerprint, 'base64url')
      const { svid } = identity.current()
      return open(address, domain, {
        authoritySha256,
        svid,
        mayReach: reach,
        expect: (spiffeId) => isRegistry(spiffeId, domain),
      })
    },
  }
}
