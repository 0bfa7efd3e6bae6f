/**
 * Reads certificates for verification. OpenSSL reads names and keys, our own reader the extensions, and nothing counts as
 * a certificate that one of the two refuses.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { type Extensions, readExtensions } from './certificate-extensions.ts'
import { readFields } from './certificate-fields.ts'
import { expectTag, readAll, tags } from './der.ts'

export const MAX_CHAIN_BYTES = 16 * 1024
export const MAX_CHAIN_CERTIFICATES = 5

export interface Certificate extends Extensions {
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  readonly validFromMs: number
  readonly expiresMs: number
}

/** Splits concatenated certificates, which is how the Workload API encodes chains and bundles. */
export function splitCertificates(ders: Uint8Array): readonly Uint8Array[] {
  return readAll(ders).map((element) => expectTag(element, tags.sequence).raw)
}

/** @throws when the bytes are not exactly one DER certificate */
export function readCertificate(der: Uint8Array): Certificate {
  const extensions = readExtensions(readFields(der))
  const x509 = new X509Certificate(der)
  return {
    ...extensions,
    x509,
    publicKey: x509.publicKey,
    validFromMs: timeMs(x509.validFromDate),
    expiresMs: timeMs(x509.validToDate),
  }
}

/** Throws for an invalid time, which would compare as neither past nor future. */
function timeMs(date: Date): number {
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw new Error('the validity cannot be parsed')
  return ms
}
