/** A node whose key an attacker has: it joined as every node does, and says whatever its identity lets it say. */
import { authorityV1, type NetworkService, type NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { decodeToken } from '../../pkg/federation/index.ts'
import { createKeyAndCsr, type Svid, verifySvid } from '../../pkg/identity/index.ts'
import { Channel, clientOf, endpointRegistryClient, serviceRegistryClient } from '../../pkg/rpc/index.ts'
import type { SandboxDomain } from '../sandbox/sandbox.ts'

export const soon = () => ({ signal: AbortSignal.timeout(10_000) })

export class RogueNode {
  readonly svid: Svid
  readonly #channel: Channel

  private constructor(svid: Svid, channel: Channel) {
    this.svid = svid
    this.#channel = channel
  }

  static async join(domain: SandboxDomain, name: string): Promise<RogueNode> {
    const { token } = await domain.invite(name)
    const authoritySha256 = Buffer.from(decodeToken(token).fingerprint, 'base64url')
    const open = (svid?: Svid) =>
      new Channel(domain.registryUrl, {
        security: { authoritySha256, ...(svid === undefined ? {} : { svid }) },
        clock: systemClock,
      })
    const key = await createKeyAndCsr()
    const joining = open()
    try {
      const authority = clientOf(authorityV1.AuthorityService, joining)
      const { chain, trust } = await authority.joinNode({ token, csr: Buffer.from(key.csr) }, soon())
      const bundles = new Map([[domain.name, trust?.authorities ?? []]])
      const { spiffeId, expiresMs } = verifySvid(chain, bundles, systemClock.nowMs())
      const svid = { spiffeId: spiffeId.id, chain, privateKey: key.privateKey, expiresMs }
      return new RogueNode(svid, open(svid))
    } finally {
      joining.close()
    }
  }

  register(endpoint: Partial<NetworkServiceEndpoint>): Promise<NetworkServiceEndpoint> {
    return endpointRegistryClient(this.#channel).register(endpointOf(endpoint), soon())
  }

  registerService(service: Partial<NetworkService>): Promise<NetworkService> {
    return serviceRegistryClient(this.#channel).register(serviceOf(service), soon())
  }

  close(): void {
    this.#channel.close()
  }
}

export function endpointOf(more: Partial<NetworkServiceEndpoint>): NetworkServiceEndpoint {
  return {
    name: 'rogue',
    networkServiceNames: ['loot'],
    networkServiceLabels: new Map(),
    url: 'tcp://192.0.2.66:5001',
    expiresMs: undefined,
    registeredMs: undefined,
    pathIds: [],
    ...more,
  }
}

export function serviceOf(more: Partial<NetworkService>): NetworkService {
  return { name: 'loot', payload: 'IP', matches: [], pathIds: [], ...more }
}
