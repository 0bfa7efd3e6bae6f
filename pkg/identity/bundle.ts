import { NsmError } from '../base/index.ts'
import { readCertificate, splitCertificates } from './certificate.ts'

/**
 * The authorities of a trust bundle, of which each must be one that every verifier can read: a bundle is shared by
 * programs in other languages.
 *
 * @param ders concatenated DER certificates, as the Workload API has them
 * @throws {NsmError} `invalid_argument` with the reason
 */
export function readBundle(ders: Uint8Array): readonly Uint8Array[] {
  const authorities = splitCertificates(ders)
  for (const der of authorities) {
    if (!readCertificate(der).isAuthority) {
      throw new NsmError('invalid_argument', 'Cannot read the trust bundle: a certificate is not that of an authority')
    }
  }
  return authorities
}
