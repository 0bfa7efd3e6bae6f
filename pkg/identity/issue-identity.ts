import type { Authority } from './authority.ts'
import { createKeyAndCsr } from './csr.ts'
import type { Bundles, Identity } from './svid.ts'

export interface IssueIdentityOptions {
  readonly spiffeId: string
  readonly dnsNames?: readonly string[]
  readonly lifetimeMs?: number
  /** By default only the certificate of the authority itself. */
  readonly bundles?: Bundles
}

/** Issues an identity with a new key, for the process that runs the authority. */
export async function issueIdentity(authority: Authority, options: IssueIdentityOptions): Promise<Identity> {
  const { privateKey, csr } = await createKeyAndCsr()
  const { bundles = new Map([[authority.trustDomain, [authority.certificate]]]), ...names } = options
  const { spiffeId, chain, expiresMs } = await authority.issue({ csr, ...names })
  return { svid: { spiffeId, chain, privateKey, expiresMs }, bundles }
}
