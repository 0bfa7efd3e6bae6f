/**
 * nsm-endpoint: makes the programs of a network namespace an endpoint of network services.
 *
 *     nsmd --mTLS, node's socket--> what stands already, before anybody new is served
 *     nsmd --mTLS, unix socket--> EndpointServer: addresses for both ends
 *     Registration --mTLS, node's socket--> nsmd -> registry
 */
import { join } from 'node:path'
import { trustDomainOf } from '../../api/index.ts'
import { type Runtime, Scope } from '../../base/index.ts'
import type { NsmEndpointConfig } from '../../config/index.ts'
import { EndpointServer, onlyOwnNode, Registration, standingConnections } from '../../endpoint/index.ts'
import { TokenMinter } from '../../identity/index.ts'
import { PointToPointIpam, parseGroups } from '../../ipam/index.ts'
import { ConnectionMonitor } from '../../monitor/index.ts'
import { isNode, withoutPolicy } from '../../policy/index.ts'
import {
  Channel,
  endpointRegistryClient,
  monitorClient,
  monitorService,
  networkService,
  serve,
  serviceRegistryClient,
  workloadApiSource,
} from '../../rpc/index.ts'

export async function startEndpoint(config: NsmEndpointConfig, runtime: Runtime): Promise<Scope> {
  const { clock, logger } = runtime
  const ipam = new PointToPointIpam(parseGroups(config.cidrPrefix))
  const scope = new Scope()
  const identity = scope.own(await workloadApiSource({ url: config.workloadApi, ...runtime }))
  const ownDomain = trustDomainOf(identity.current().svid.spiffeId)
  const isOwnNode = (spiffeId: string) => isNode(spiffeId, ownDomain)
  const minter = new TokenMinter(clock, config.maxTokenLifetimeMs)

  const { name, serviceNames: services } = config
  const paths = { maxLifetimeMs: config.maxTokenLifetimeMs, unsigned: config.unsignedPath }
  const endpoint = new EndpointServer({ name, services, ipam, identity, minter, ...paths, clock, logger })
  scope.defer(() => endpoint.stop())
  const security = { identity, expect: isOwnNode }
  const channel = scope.own(new Channel(config.connectTo, { security, tokens: minter, clock, who: 'the node' }))
  const standing = await standingConnections({ monitor: monitorClient(channel), name, ...runtime })
  endpoint.resume(standing, (await channel.peer(runtime.signal)).spiffeId)
  const url = `unix://${join(config.listenDir, `${name}.sock`)}`
  const serving = { listen: url, security: { identity }, authorize: onlyOwnNode(identity), clock, logger }
  const monitor = new ConnectionMonitor({ connections: endpoint, isAdmin: () => true, policy: withoutPolicy })
  scope.own(await serve({ ...serving, services: [networkService(endpoint), monitorService(monitor)] }))

  const registries = { services: serviceRegistryClient(channel), endpoints: endpointRegistryClient(channel) }
  scope.own(new Registration({ ...config, services, url, registries, clock, logger }))
  return scope
}
