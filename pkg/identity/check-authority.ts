import { NsmError } from '../base/index.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import { checkKey } from './verify-svid.ts'

/**
 * Checks the certificate of an authority that another domain introduces. It goes into trust bundles that others read
 * too, so what OpenSSL accepts and other verifiers refuse is refused here, where somebody can still mend it.
 *
 * @throws {NsmError} `invalid_argument` with the reason
 * @see X509-SVID section 4.2, RFC 5280 section 4.1.2.2
 */
export function checkAuthority(der: Uint8Array, trustDomain: string): void {
  const { uris, isAuthority, keyUsage } = checked(der)
  if (!isAuthority) refuse('it may not sign certificates')
  if (keyUsage !== undefined && !keyUsage.keyCertSign) refuse('its key usage does not allow signing certificates')
  const names = uris.filter((uri) => uri.startsWith('spiffe:'))
  if (names.some((uri) => uri !== `spiffe://${trustDomain}`)) refuse('it is of another trust domain')
}

function checked(der: Uint8Array): Certificate {
  try {
    const certificate = readCertificate(der)
    checkKey(certificate)
    return certificate
  } catch (cause) {
    throw new NsmError('invalid_argument', 'Cannot accept the authority: it is not a certificate that we can verify', {
      cause,
    })
  }
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', `Cannot accept the authority: ${reason}`)
}
