/**
 * nsm-client: keeps the wires that a workload asks for.
 *
 *     NSM_NETWORK_SERVICES -> one KeptWire each --mTLS over the node's socket--> nsmd
 */
import { trustDomainOf } from '../../api/index.ts'
import { type Runtime, Scope } from '../../base/index.ts'
import { KeptWires, parseNetworkServices } from '../../client/index.ts'
import type { NsmClientConfig } from '../../config/index.ts'
import { TokenMinter } from '../../identity/index.ts'
import { isNode } from '../../policy/index.ts'
import { Channel, monitorClient, networkServiceClient, workloadApiSource } from '../../rpc/index.ts'

export async function startClient(config: NsmClientConfig, { clock, logger, signal }: Runtime): Promise<Scope> {
  const urls = parseNetworkServices(config.networkServices)
  const scope = new Scope()
  const identity = scope.own(await workloadApiSource({ url: config.workloadApi, clock, logger, signal }))
  const ownDomain = trustDomainOf(identity.current().svid.spiffeId)
  const security = { identity, expect: (spiffeId: string) => isNode(spiffeId, ownDomain) }
  const tokens = new TokenMinter(clock, config.maxTokenLifetimeMs)
  const channel = scope.own(new Channel(config.connectTo, { security, tokens, clock, who: 'the node' }))
  const mesh = { services: networkServiceClient(channel), monitor: monitorClient(channel) }
  const { name: client, labels, requestTimeoutMs } = config
  scope.own(new KeptWires(urls, { client, labels, requestTimeoutMs, ...mesh, clock, logger }))
  return scope
}
