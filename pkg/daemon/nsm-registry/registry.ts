/**
 * nsm-registry: registry and certificate authority of a domain, and its connection to other domains.
 *
 *     nodes, workloads --mTLS--> NSM's registries, Authority -----.
 *     other domains -----mTLS--> NSM's registries, Federation -----+--> one SQLite file, one key;
 *     nsmctl ----admin socket--> Domains, and the others to read --'    or objects of Kubernetes
 *     other domains <----mTLS--- follows their authorities and addresses, finds their services
 */
import { KeyedQueue, type Runtime, Scope } from '../../base/index.ts'
import { type RegistryConfig, readWholeFile } from '../../config/index.ts'
import {
  advertisedAddresses,
  agentIssuer,
  ConnectedNodes,
  domainsHandlers,
  embeddedIssuer,
  federationHandlers,
  Invitations,
  type Issuer,
  JoinedRegistries,
  NodeAddresses,
  recoversUntilMs,
  registryChannels,
  Trust,
  TrustRecords,
} from '../../federation/index.ts'
import { openAuthority, openLocalSecret } from '../../identity/index.ts'
import { reachOf } from '../../net/index.ts'
import { PolicyFiles } from '../../policy/index.ts'
import {
  Claims,
  EndpointRegistry,
  OtherDomains,
  removeOwned,
  SearchTurns,
  ServiceRegistry,
} from '../../registry/index.ts'
import type { Server } from '../../rpc/index.ts'
import { openServers } from './servers.ts'
import { adminServices, memberServices } from './services.ts'
import { openState, type RegistryState } from './state.ts'

export interface RunningRegistry {
  /** Where nodes and other domains call, with the port that was taken. */
  readonly url: string
  close(): Promise<void>
}

/** Closes what it opened when it cannot start. */
export async function startRegistry(config: RegistryConfig, options: Runtime): Promise<RunningRegistry> {
  const scope = new Scope()
  try {
    const { url } = await compose(config, options, scope)
    return { url, close: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function compose(config: RegistryConfig, options: Runtime, scope: Scope): Promise<Server> {
  const { domain, defaultExpiryMs } = config
  const { clock, logger } = options
  const policy = new PolicyFiles({ paths: config.policyFiles, domain, read: readWholeFile, clock, logger })
  scope.run((until) => policy.follow(until))
  const addresses = advertisedAddresses(config.advertise, config.listenOn)
  const state = await openState(config, options, scope)
  const { store, platform } = state

  const issuer = scope.own(await openIssuer(config, state, options))
  const { authorities, longestIdentityMs, invitesNodes } = issuer
  const records = scope.own(await TrustRecords.open({ store: state.trustStore, clock, logger }))
  const recovery = await recoversUntilMs({ records, isNew: issuer.isNew, lengthMs: defaultExpiryMs, clock })
  const reach = reachOf(addresses)
  const trust = scope.own(
    await Trust.open({ records, domain, authorities, addresses, reach, policy, longestIdentityMs, clock }),
  )
  const identity = scope.own(await issuer.identity(trust))
  const channels = registryChannels({ identity, reach, clock })
  const registries = scope.own(new JoinedRegistries({ trust, channels, clock, logger }))

  const registryOf = (other: string) => {
    trust.checkMayFederate(other)
    return registries.channelTo(other)
  }
  const others = scope.own(new OtherDomains({ registryOf, reach, clock, logger }))
  const exports = { current: () => trust.exports(), subscribe: (listener: () => void) => trust.subscribe(listener) }
  const nodes = new NodeAddresses({ records, domain, reach, platform })
  const queue = new KeyedQueue()
  const turns = new SearchTurns()
  const claims = new Claims({ key: issuer.claimsKey, recoversUntilMs: recovery, lifeMs: defaultExpiryMs, clock })
  if (claims.isRecovering) {
    const fields = { until: new Date(recovery).toISOString() }
    logger.warn('The records are lost: names go back to their owners first', fields)
  }
  const common = { domain, store, exports, policy, others, nodes, claims, queue, turns, clock, logger }
  const services = scope.own(new ServiceRegistry(common))
  const endpoints = scope.own(await EndpointRegistry.open({ ...common, defaultExpiryMs }))

  const invitations = new Invitations(records, clock)
  const connected = scope.own(new ConnectedNodes({ records, clock, logger }))
  const members = { trust, invitations, channels, registries, connected, disk: state.disk, clock, logger }
  const handlers = {
    domain,
    services,
    endpoints,
    authority: issuer.handlers({ ...members, nodes, platform }),
    federation: federationHandlers(members),
    domains: domainsHandlers({ ...members, invitesNodes, onRevoked: (spiffeId) => removeOwned(store, spiffeId) }),
  }
  await state.publish(authorities)
  const served = { members: memberServices(handlers), admin: adminServices(handlers) }
  const server = await openServers({ ...config, ...options, ...served, identity, trust }, scope)
  scope.defer(() => connected.close()) // before the servers end: their nodes have not left
  return server
}

/** The embedded authority, unless the operator names an agent that issues the identities. */
async function openIssuer(config: RegistryConfig, state: RegistryState, runtime: Runtime): Promise<Issuer> {
  const { domain, spiffeSocket } = config
  if (spiffeSocket !== undefined) {
    return agentIssuer({ url: spiffeSocket, domain, secret: await openLocalSecret(state.claims) }, runtime)
  }
  return embeddedIssuer(await openAuthority({ place: state.authority, trustDomain: domain, ...runtime }), runtime)
}
