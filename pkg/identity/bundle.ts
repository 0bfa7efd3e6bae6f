import { splitCertificates } from './certificate.ts'
import { checkAuthority } from './check-authority.ts'

/**
 * The authorities of a trust bundle, of which each must be one that every verifier can read: a bundle is shared by
 * programs in other languages.
 *
 * @param ders concatenated DER certificates, as the Workload API has them
 * @throws {NsmError} `invalid_argument` with the reason
 */
export function readBundle(ders: Uint8Array, trustDomain: string): readonly Uint8Array[] {
  const authorities = splitCertificates(ders)
  for (const der of authorities) checkAuthority(der, trustDomain)
  return authorities
}
