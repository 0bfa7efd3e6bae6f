/** Reads certificates for verification. OpenSSL reads names and keys, our own reader the extensions. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { expectTag, readAll, readNamedBits, readOnly, tags } from './der.ts'

export const MAX_CHAIN_BYTES = 16 * 1024
export const MAX_CHAIN_CERTIFICATES = 5

export interface Certificate {
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  readonly validFromMs: number
  readonly expiresMs: number
  readonly isAuthority: boolean
  /** How many intermediate certificates may follow below this authority. */
  readonly pathLength: number | undefined
  readonly keyUsage: KeyUsage | undefined
  readonly uris: readonly string[]
  /** Object identifiers of the critical extensions that we do not understand, as hexadecimal DER content. */
  readonly unknownCritical: readonly string[]
}

export interface KeyUsage {
  readonly digitalSignature: boolean
  readonly keyCertSign: boolean
  readonly crlSign: boolean
}

const oid = { keyUsage: '551d0f', subjectAltName: '551d11', basicConstraints: '551d13', extKeyUsage: '551d25' }
const understood = new Set(Object.values(oid))

interface Extension {
  readonly oid: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

/** Splits concatenated certificates, which is how the Workload API encodes chains and bundles. */
export function splitCertificates(ders: Uint8Array): readonly Uint8Array[] {
  return readAll(ders).map((element) => expectTag(element, tags.sequence).raw)
}

/** @throws when the bytes are not exactly one DER certificate */
export function readCertificate(der: Uint8Array): Certificate {
  const extensions = readExtensions(der)
  const find = (wanted: string) => extensions.find((extension) => extension.oid === wanted)?.value
  const x509 = new X509Certificate(der)
  return {
    x509,
    publicKey: x509.publicKey,
    validFromMs: timeMs(x509.validFromDate),
    expiresMs: timeMs(x509.validToDate),
    ...readBasicConstraints(find(oid.basicConstraints)),
    keyUsage: readKeyUsage(find(oid.keyUsage)),
    uris: readUris(find(oid.subjectAltName)),
    unknownCritical: extensions.filter((one) => one.isCritical && !understood.has(one.oid)).map((one) => one.oid),
  }
}

/** Throws for an invalid time, which would compare as neither past nor future. */
function timeMs(date: Date): number {
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw new Error('the validity cannot be parsed')
  return ms
}

function readExtensions(der: Uint8Array): readonly Extension[] {
  const [tbs] = readAll(readOnly(der, tags.sequence).value)
  const list = readAll(expectTag(tbs, tags.sequence).value).find((field) => field.tag === tags.extensions)
  if (list === undefined) return []
  const extensions = readAll(readOnly(list.value, tags.sequence).value).map((one) => readExtension(one.value))
  // RFC 5280 section 4.2: an extension occurs at most once. Otherwise two readers could each use a different one.
  if (new Set(extensions.map((one) => one.oid)).size !== extensions.length) throw new Error('an extension occurs twice')
  return extensions
}

function readExtension(bytes: Uint8Array): Extension {
  const [id, second, third] = readAll(bytes)
  const isCritical = second?.tag === tags.boolean && second.value[0] === 0xff
  const value = expectTag(second?.tag === tags.boolean ? third : second, tags.octetString).value
  return { oid: Buffer.from(expectTag(id, tags.oid).value).toString('hex'), isCritical, value }
}

function readBasicConstraints(value: Uint8Array | undefined): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  if (value === undefined) return { isAuthority: false, pathLength: undefined }
  const fields = readAll(readOnly(value, tags.sequence).value)
  const isAuthority = fields.some((field) => field.tag === tags.boolean && field.value[0] === 0xff)
  return { isAuthority, pathLength: fields.find((field) => field.tag === tags.integer)?.value[0] }
}

function readKeyUsage(value: Uint8Array | undefined): KeyUsage | undefined {
  if (value === undefined) return undefined
  const bits = readNamedBits(readOnly(value, tags.bitString).value)
  return {
    digitalSignature: (bits & (1 << 0)) !== 0,
    keyCertSign: (bits & (1 << 5)) !== 0,
    crlSign: (bits & (1 << 6)) !== 0,
  }
}

function readUris(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return []
  const names = readAll(readOnly(value, tags.sequence).value)
  return names.filter((name) => name.tag === tags.uri).map((name) => Buffer.from(name.value).toString('latin1'))
}
