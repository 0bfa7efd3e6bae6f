/**
 * Certificates that OpenSSL reads and other verifiers do not, one for each way, made from a good one.
 * @see RFC 5280 section 4, and crypto/x509 of Go
 */
import { tags } from '../der.ts'
import { ascii, der, type Edit, edit, extend, extension, fieldOf, hex } from './edit-certificate.ts'

export interface OddCertificate {
  /** What is odd about it. */
  readonly name: string
  readonly der: Uint8Array
  /** Part of the error. */
  readonly refusal: string
  /** Go reads it, and RFC 5280 or X509-SVID forbids it. */
  readonly isReadByGo?: true
}

const ECDSA_SHA512 = der(tags.sequence, der(tags.oid, hex('2a8648ce3d040304')))
const P256 = der(tags.oid, hex('2a8648ce3d030107'))
const EC = der(tags.oid, hex('2a8648ce3d0201'))
const NULL = hex('0500')
const ID = { san: '551d11', ski: '551d0e', aki: '551d23', names: '551d1e' }
const UNKNOWN = '2a0304'

/** @param good an EC P-256 authority or leaf with any extensions but those for names */
export function oddCertificates(good: Uint8Array, rsa: Uint8Array): readonly OddCertificate[] {
  const row = (name: string, edits: Edit, refusal: string) => ({ name, der: edit(good, edits), refusal })
  const more = (name: string, added: Uint8Array, refusal: string) => ({ name, der: extend(good, added), refusal })
  const named = (name: string, generalName: Uint8Array, refusal: string) =>
    more(name, extension({ oid: ID.san, value: der(tags.sequence, generalName) }), refusal)
  return [
    ...oddFields(row),
    ...oddTimes(row),
    ...oddKeys(good, rsa),
    ...oddNames(named),
    ...oddExtensions(more),
    {
      ...row('of version 1', { version: new Uint8Array(), extensions: new Uint8Array() }, 'version 3'),
      isReadByGo: true,
    },
    {
      ...row('a serial number of 21 bytes', { serial: der(2, Array(21).fill(1)) }, 'longer than 20'),
      isReadByGo: true,
    },
    { ...row('a serial number of zero', { serial: hex('020100') }, 'is zero'), isReadByGo: true },
    { ...named('a DNS name with spaces', der(0x82, ascii('not a host')), 'not a host name'), isReadByGo: true },
    { ...named('a DNS name with a NUL', der(0x82, ascii('east\0.west')), 'not a host name'), isReadByGo: true },
    { ...named('a DNS name with a wildcard inside', der(0x82, ascii('a.*.b')), 'not a host name'), isReadByGo: true },
  ]
}

type Row = (name: string, edits: Edit, refusal: string) => OddCertificate
type More = (name: string, added: Uint8Array, refusal: string) => OddCertificate

function oddFields(row: Row): readonly OddCertificate[] {
  const nameOf = (tag: number, text: Uint8Array) =>
    der(tags.sequence, der(tags.set, der(tags.sequence, der(tags.oid, hex('550403')), der(tag, text))))
  return [
    row('a negative serial number', { serial: hex('0201ff') }, 'negative'),
    row('a long negative serial number', { serial: der(2, [0x80, ...Array(15).fill(7)]) }, 'negative'),
    row('two signature algorithms', { outerAlgorithm: ECDSA_SHA512 }, 'two signature algorithms'),
    row('an issuer in no character set', { issuer: nameOf(0x13, ascii('east_west')) }, 'PrintableString'),
    row('a subject beyond ASCII', { subject: nameOf(0x16, hex('e9')) }, 'IA5String'),
  ]
}

function oddTimes(row: Row): readonly OddCertificate[] {
  const later = der(0x18, ascii('20400101000000Z'))
  const validity = (from: Uint8Array) => ({ validity: der(tags.sequence, from, later) })
  return [
    row('a time with a fraction', validity(der(0x18, ascii('20200101000000.5Z'))), 'form of X.509'),
    row('the 30th of February', validity(der(0x17, ascii('200230000000Z'))), 'does not exist'),
  ]
}

function oddKeys(good: Uint8Array, rsa: Uint8Array): readonly OddCertificate[] {
  const key = fieldOf(good, 'key')
  const point = key.subarray(-64)
  const compressed = [0, 2 + ((point.at(-1) ?? 0) & 1), ...point.subarray(0, 32)]
  const rsaBits = fieldOf(rsa, 'key').subarray(fieldOf(rsa, 'key').indexOf(tags.bitString))
  const rsaKey = der(tags.sequence, der(tags.sequence, der(tags.oid, hex('2a864886f70d010101'))), rsaBits)
  return [
    {
      name: 'a compressed EC key',
      der: edit(good, { key: der(tags.sequence, der(tags.sequence, EC, P256), der(tags.bitString, compressed)) }),
      refusal: 'compressed',
    },
    { name: 'an RSA key without its NULL', der: edit(rsa, { key: rsaKey }), refusal: 'RSA key' },
  ]
}

function oddNames(named: More): readonly OddCertificate[] {
  return [
    named('a DNS name beyond ASCII', der(0x82, hex('6ac3a9')), 'not a host name'),
    named('an email address beyond ASCII', der(0x81, hex('e9')), 'email address'),
    named('a URI with a broken escape', der(0x86, ascii('spiffe://east/%zz')), 'URI'),
    named('a URI with a space in its host', der(0x86, ascii('spiffe://ea st/a')), 'URI'),
    named('a URI with an empty label', der(0x86, ascii('spiffe://east..west/a')), 'URI'),
    named('an IP address of 5 bytes', der(0x87, [1, 2, 3, 4, 5]), 'IP address'),
  ]
}

function oddExtensions(more: More): readonly OddCertificate[] {
  const tooLarge = `2a${'ff'.repeat(5)}7f`
  const emptyNames = extension({ oid: ID.names, value: der(tags.sequence) })
  return [
    more('an object identifier that is too large', extension({ oid: tooLarge, value: NULL }), 'too large'),
    more('an extension that is half critical', extension({ oid: UNKNOWN, critical: 1, value: NULL }), 'boolean'),
    more('a critical key identifier', extension({ oid: ID.ski, critical: 0xff, value: der(4, [1]) }), 'critical'),
    more('a critical issuer key', extension({ oid: ID.aki, critical: 0xff, value: der(tags.sequence) }), 'critical'),
    more('empty name constraints', emptyNames, 'constrains names'),
  ]
}
