import { domainV1 } from '../../api/index.ts'
import { type Clock, NsmError } from '../../base/index.ts'
import type { Channels, RegistryChannel } from '../../federation/index.ts'
import { type IdentitySource, staticSource } from '../../identity/index.ts'
import { isRegistry } from '../../policy/index.ts'
import {
  Channel,
  type ClientSecurity,
  clientOf,
  endpointRegistryClient,
  serviceRegistryClient,
} from '../../rpc/index.ts'

/** Calls the registries of other domains, and holds each to being the registry of its domain. */
export function registryChannels(identity: IdentitySource, clock: Clock): Channels {
  const open = (address: string, security: ClientSecurity): RegistryChannel => {
    const channel = new Channel(`tcp://${address}`, { security, clock })
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
      return open(address, { identity: source, expect: (spiffeId) => isRegistry(spiffeId, domain) })
    },
    pinned(address, domain, fingerprint) {
      const authoritySha256 = Buffer.from(fingerprint, 'base64url')
      return open(address, { authoritySha256, expect: (spiffeId) => isRegistry(spiffeId, domain) })
    },
  }
}

/**
 * What others are told to call: as configured, or where we listen.
 * @throws {NsmError} `invalid_argument` when that is every address of this machine, which means nothing elsewhere.
 */
export function advertisedAddresses(advertise: readonly string[] | undefined, listenOn: string): readonly string[] {
  if (advertise !== undefined && advertise.length > 0) return advertise
  const address = listenOn.replace('tcp://', '')
  if (!/^(0\.0\.0\.0|\[::\]):/.test(address)) return [address]
  throw new NsmError('invalid_argument', 'Cannot tell others where to call: NSM_LISTEN_ON is every address', {
    fields: { listenOn },
    next: 'set NSM_ADVERTISE to the host:port under which nodes and other domains reach this registry',
  })
}
