import type { Authority } from './authority.ts'
import { createKeyAndCsr } from './csr.ts'
import type { Bundles, Identity } from './svid.ts'

export interface IssueIdentityOptions {
  readonly spiffeId: string
  readonly dnsNames?: readonly string[]
  readonly lifetimeMs?: number
  /** By default the authority's own certificate alone. */
  readonly bundles?: Bundles
}

/** An identity under a new key, for the process that has the authority in itself. */
export async function issueIdentity(authority: Authority, options: IssueIdentityOptions): Promise<Identity> {
  const { privateKey, csr } = await createKeyAndCsr()
  const { bundles = new Map([[authority.trustDomain, [authority.certificate]]]), ...names } = options
  const { spiffeId, chain, expiresMs } = await authority.issue({ csr, ...names })
  return { svid: { spiffeId, chain, privateKey, expiresMs }, bundles }
}
