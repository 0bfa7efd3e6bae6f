/** A domain that an attacker runs: an authority of its own, and all that can be said and signed with it. */
import { domainV1 } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { decodeToken } from '../../pkg/federation/index.ts'
import { Authority, createAuthorityMaterial, issueIdentity, type Svid } from '../../pkg/identity/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import type { SandboxDomain } from '../sandbox/sandbox.ts'

export const soon = () => ({ signal: AbortSignal.timeout(10_000) })

export class RogueDomain {
  readonly name: string
  readonly certificate: Uint8Array
  readonly #authority: Authority

  private constructor(name: string, authority: Authority) {
    this.name = name
    this.certificate = authority.certificate
    this.#authority = authority
  }

  static async create(name: string): Promise<RogueDomain> {
    return new RogueDomain(name, new Authority(await createAuthorityMaterial(name, systemClock), systemClock))
  }

  /** An SVID of this authority; by default that of the domain's registry. */
  async svid(path = 'registry'): Promise<Svid> {
    return (await issueIdentity(this.#authority, { spiffeId: `spiffe://${this.name}/${path}` })).svid
  }

  introduction(change: Partial<domainV1.Introduction> = {}): domainV1.Introduction {
    return domainV1.Introduction.fromPartial({
      trustDomain: this.name,
      addresses: ['127.0.0.1:9'],
      authorities: [Buffer.from(this.certificate)],
      revision: BigInt(systemClock.nowMs()),
      ...change,
    })
  }

  /** Shows `token` to the domain that made it, over a connection on which `svid` was presented. */
  async join(
    victim: Pick<SandboxDomain, 'registryUrl'>,
    token: string,
    { introduction = this.introduction(), svid }: { introduction?: domainV1.Introduction; svid?: Svid | undefined },
  ): Promise<domainV1.Introduction> {
    const { secret, fingerprint } = decodeToken(token)
    const authoritySha256 = Buffer.from(fingerprint, 'base64url')
    const security = { authoritySha256, ...(svid === undefined ? {} : { svid }) }
    const channel = new Channel(victim.registryUrl, { security, clock: systemClock })
    try {
      return await clientOf(domainV1.FederationService, channel).accept({ secret, introduction }, soon())
    } finally {
      channel.close()
    }
  }
}

/** The certificate of a domain's authority, as its registry shows it to everybody who connects. */
export async function publicCertificate(victim: SandboxDomain, token: string): Promise<Buffer> {
  const authoritySha256 = Buffer.from(decodeToken(token).fingerprint, 'base64url')
  const channel = new Channel(victim.registryUrl, { security: { authoritySha256 }, clock: systemClock })
  try {
    const { chain } = await channel.peer(soon().signal)
    return Buffer.from(chain.at(-1) ?? [])
  } finally {
    channel.close()
  }
}
