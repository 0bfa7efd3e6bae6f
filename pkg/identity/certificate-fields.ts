/**
 * The fields of a certificate around its extensions, checked as strictly as the strictest verifier that may read it
 * after us does. OpenSSL reads more: what it takes and Go's crypto/x509 refuses would otherwise split a mesh in which
 * some programs trust an authority, and others cannot read it.
 *
 *     Certificate     SEQUENCE { TBSCertificate, signature algorithm, signature }
 *     TBSCertificate  SEQUENCE { [0] version, serial number, signature algorithm, issuer, validity, subject, public key,
 *                                [3] extensions }
 *
 * @see RFC 5280 section 4.1
 */
import { NsmError } from '../base/index.ts'
import {
  type Element,
  expectTag,
  readAll,
  readBitString,
  readInteger,
  readOid,
  readOnly,
  readSmallNumber,
  tags,
} from './der.ts'

const VERSION_3 = 'a003020102'
const EXTENSIONS = 0xa3
const MAX_SERIAL_BYTES = 20
const strings = { utf8: 0x0c, printable: 0x13, ia5: 0x16 } as const
const times = { utc: 0x17, generalized: 0x18 } as const
const RSA = '2a864886f70d010101'
const EC = '2a8648ce3d0201'
/** P-256, P-384, P-521, and the bytes of a coordinate. */
const curves = new Map([
  ['2a8648ce3d030107', 32],
  ['2b81040022', 48],
  ['2b81040023', 66],
])
const UNCOMPRESSED = 0x04
const DER_NULL = '0500'

/**
 * Checks all fields but the extensions.
 * @returns the extensions, unread
 * @throws {NsmError} `invalid_argument` with the reason
 */
export function readFields(der: Uint8Array): readonly Element[] {
  const [tbs, algorithm, signature, ...rest] = readAll(readOnly(der, tags.sequence).value)
  if (rest.length > 0) refuse('there is something after its signature')
  const fields = readAll(expectTag(tbs, tags.sequence).value)
  const [version, serial, signed, issuer, validity, subject, key, extensions, ...others] = fields
  if (version === undefined || hex(version.raw) !== VERSION_3) refuse('it is not of version 3')
  checkSerial(serial)
  checkAlgorithm(signed)
  if (signed === undefined || hex(signed.raw) !== hex(expectTag(algorithm, tags.sequence).raw))
    refuse('it names two signature algorithms')
  for (const name of [issuer, subject]) checkName(name)
  checkValidity(validity)
  checkKey(key)
  readBitString(signature)
  if (others.length > 0) refuse('it has a field that is not supported')
  return extensions === undefined ? [] : readAll(readOnly(expectTag(extensions, EXTENSIONS).value, tags.sequence).value)
}

/** RFC 5280 section 4.1.2.2. */
function checkSerial(element: Element | undefined): void {
  const serial = readInteger(element)
  if ((serial[0] ?? 0) >= 0x80) refuse('its serial number is negative')
  if (serial.every((byte) => byte === 0)) refuse('its serial number is zero')
  if (serial.length > MAX_SERIAL_BYTES) refuse(`its serial number is longer than ${MAX_SERIAL_BYTES} bytes`)
}

function checkAlgorithm(element: Element | undefined): { readonly oid: string; readonly parameters: Uint8Array } {
  const [oid, parameters, ...rest] = readAll(expectTag(element, tags.sequence).value)
  if (rest.length > 0) refuse('an algorithm has two parameters')
  return { oid: readOid(oid), parameters: parameters?.raw ?? new Uint8Array() }
}

function checkName(element: Element | undefined): void {
  for (const set of readAll(expectTag(element, tags.sequence).value)) {
    for (const attribute of readAll(expectTag(set, tags.set).value)) {
      const [type, value, ...rest] = readAll(expectTag(attribute, tags.sequence).value)
      readOid(type)
      if (value === undefined || rest.length > 0) refuse('a name in it is malformed')
      checkString(value)
    }
  }
}

function checkString({ tag, value }: Element): void {
  const text = Buffer.from(value)
  if (tag === strings.printable) {
    // With * and &, which do not belong there and occur.
    if (!/^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(text.toString('latin1'))) refuse('a PrintableString has other characters')
  } else if (tag === strings.ia5) {
    if (!isAscii(value)) refuse('an IA5String has other characters')
  } else if (tag === strings.utf8) {
    if (!Buffer.from(text.toString('utf8')).equals(text)) refuse('a UTF8String is not UTF-8')
  } else refuse('a name in it is neither a UTF8String nor a PrintableString')
}

export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80)
}

function checkValidity(element: Element | undefined): void {
  const [from, to, ...rest] = readAll(expectTag(element, tags.sequence).value)
  if (rest.length > 0) refuse('its validity has three times')
  for (const time of [from, to]) checkTime(time)
}

/** RFC 5280 section 4.1.2.5: with seconds, in UTC, and nothing finer. */
function checkTime(element: Element | undefined): void {
  if (element === undefined) refuse('its validity is incomplete')
  const text = Buffer.from(element.value).toString('latin1')
  const isUtc = element.tag === times.utc && text.length === 13
  const isGeneralized = element.tag === times.generalized && text.length === 15
  if ((!isUtc && !isGeneralized) || !/^\d+Z$/.test(text)) refuse('a time in it is not in the form of X.509')
  const [year = '', ...rest] = /^(\d\d(?:\d\d)?)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1) ?? []
  const [month = 0, day = 0, hour = 24, minute = 60, second = 60] = rest.map(Number)
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(isUtc ? fullYear(year) : Number(year), month)
  if (!isDay || hour > 23 || minute > 59 || second > 59) refuse('a time in it does not exist')
}

function fullYear(twoDigits: string): number {
  return Number(twoDigits) + (Number(twoDigits) >= 50 ? 1900 : 2000)
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (month === 2) return isLeap ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function checkKey(element: Element | undefined): void {
  const [algorithm, key, ...rest] = readAll(expectTag(element, tags.sequence).value)
  if (rest.length > 0) refuse('there is something after its key')
  const { oid, parameters } = checkAlgorithm(algorithm)
  const bytes = readBitString(key)
  if (oid === RSA) checkRsaKey(bytes, parameters)
  else if (oid === EC) checkEcKey(bytes, parameters)
  else refuse('its key is neither RSA nor EC')
}

function checkRsaKey(bytes: Uint8Array, parameters: Uint8Array): void {
  if (hex(parameters) !== DER_NULL) refuse('its RSA key has parameters')
  const [modulus, exponent, ...rest] = readAll(readOnly(bytes, tags.sequence).value)
  const first = readInteger(modulus)[0] ?? 0x80
  if (first >= 0x80 || readSmallNumber(exponent) === 0 || rest.length > 0) refuse('its RSA key is malformed')
}

function checkEcKey(bytes: Uint8Array, parameters: Uint8Array): void {
  const curve = parameters[0] === tags.oid ? readOid(readOnly(parameters, tags.oid)) : ''
  const coordinateBytes = curves.get(curve)
  if (coordinateBytes === undefined) refuse('the curve of its key is not P-256, P-384 or P-521')
  if (bytes[0] !== UNCOMPRESSED || bytes.length !== 1 + 2 * coordinateBytes) refuse('its EC key is compressed')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function refuse(reason: string): never {
  throw new NsmError('invalid_argument', `Cannot read the certificate: ${reason}`)
}
