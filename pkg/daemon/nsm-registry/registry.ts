/**
 * nsm-registry: registry and authority of a domain, and its door to other domains.
 *
 *     nodes, other registries --mTLS--> registries, Authority, Federation --.
 *     nsmctl -----------admin socket--> Domains, and the same to read -------+--> one SQLite file, one key
 *     other registries <--mTLS-- links: their authorities, finds across -----'
 */
import { join } from 'node:path'
import { authorityV1, domainV1 } from '../../api/index.ts'
import { Scope } from '../../base/index.ts'
import { type RegistryConfig, registryConfig } from '../../config/index.ts'
import {
  authorityHandlers,
  DomainLinks,
  domainsHandlers,
  federationHandlers,
  Invitations,
  registryIdentity,
  Trust,
} from '../../federation/index.ts'
import { openAuthority } from '../../identity/index.ts'
import { EndpointRegistry, OtherDomains, removeOwned, ServiceRegistry, sqliteStore } from '../../registry/index.ts'
import { endpointRegistryService, implement, type Server, serviceRegistryService } from '../../rpc/index.ts'
import { openDatabase } from '../../store/index.ts'
import type { Program, Surroundings } from '../run-program.ts'
import { adminServices } from './admin-services.ts'
import { advertisedAddresses, registryChannels } from './channels.ts'
import { migrations } from './migrations.ts'
import { openServers } from './servers.ts'

export const registryProgram: Program<RegistryConfig> = {
  name: 'nsm-registry',
  config: registryConfig,
  start: startRegistry,
}

export interface RegistryOptions extends Surroundings {
  /** Which URLs of endpoints are taken from other domains: for tests that run on loopback. */
  readonly acceptsUrl?: (url: string) => boolean
}

export interface RunningRegistry {
  /** Where nodes and other domains call, with the port that was taken. */
  readonly url: string
  close(): Promise<void>
}

/** Closes what it opened when it cannot start. */
export async function startRegistry(config: RegistryConfig, options: RegistryOptions): Promise<RunningRegistry> {
  const scope = new Scope()
  try {
    const { url } = await compose(config, options, scope)
    return { url, close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function compose(config: RegistryConfig, options: RegistryOptions, scope: Scope): Promise<Server> {
  const { domain, stateDir, defaultExpiryMs } = config
  const { clock, logger } = options
  const addresses = advertisedAddresses(config.advertise, config.listenOn)
  const database = scope.own(openDatabase(join(stateDir, 'registry.db'), { application: 'nsm-registry', migrations }))

  const authority = await openAuthority(join(stateDir, 'authority.pem'), domain, clock)
  const trust = new Trust({ database, domain, authorities: [authority.certificate], addresses, clock })
  const identity = scope.own(await registryIdentity({ authority, trust, clock, logger }))
  const channels = registryChannels(identity, clock)
  const links = scope.own(new DomainLinks({ trust, channels, clock, logger }))

  const store = sqliteStore(database)
  const others = new OtherDomains({ ...options, registryOf: (other) => links.channelTo(other) })
  const exports = { current: () => trust.exports(), subscribe: (listener: () => void) => trust.subscribe(listener) }
  const common = { domain, store, exports, others, clock, logger }
  const services = new ServiceRegistry(common)
  const endpoints = scope.own(await EndpointRegistry.open({ ...common, defaultExpiryMs }))

  const members = { trust, invitations: new Invitations(database, clock), channels, links, clock, logger }
  const authorityService = authorityHandlers({ ...members, authority })
  const domains = domainsHandlers({ ...members, onExpelled: (spiffeId) => removeOwned(store, spiffeId) })

  const ours = { domain, domains, authority: authorityService, services, endpoints }
  const served = {
    admin: adminServices(ours),
    members: [
      serviceRegistryService(services),
      endpointRegistryService(endpoints),
      implement(authorityV1.AuthorityService, authorityService),
      implement(domainV1.FederationService, federationHandlers(members)),
    ],
  }
  return openServers({ ...config, ...options, ...served, identity, trust }, scope)
}
