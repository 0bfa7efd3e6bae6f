import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { Svid } from '../identity/index.ts'

export interface TlsIdentity {
  readonly svid: Svid
  /** Sent after the chain, for clients that know only the fingerprint of an authority. */
  readonly authorities?: readonly Uint8Array[]
}

/**
 * TLS 1.3 without session tickets, so that every connection authenticates with its certificate.
 * @param identity undefined for a client without a certificate
 */
export function secureContextOptions(identity: TlsIdentity | undefined): SecureContextOptions {
  const common = { minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const
  if (identity === undefined) return common
  const { svid, authorities = [] } = identity
  return {
    ...common,
    key: svid.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    cert: [...svid.chain, ...authorities].map(toPem).join(''),
  }
}

function toPem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
}
