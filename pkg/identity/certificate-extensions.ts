/**
 * The extensions of a certificate: those that we use, and for the others whether all verifiers can read them.
 * @see RFC 5280 section 4.2
 */
import { isAscii, refuse } from './certificate-fields.ts'
import {
  type Element,
  expectTag,
  readAll,
  readBoolean,
  readNamedBits,
  readOid,
  readOnly,
  readSmallNumber,
  tags,
} from './der.ts'
import { isHostName } from './host-name.ts'

export interface Extensions {
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

interface Extension {
  readonly oid: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

const oid = { keyUsage: '551d0f', subjectAltName: '551d11', basicConstraints: '551d13', extKeyUsage: '551d25' }
const understood = new Set(Object.values(oid))
/** What an authority may not do. Whoever does not enforce it must not ignore it either, critical or not. */
const constraints = new Set(['551d1e', '551d21', '551d24', '551d36'])
/** GeneralName */
const names = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const
const FIRST = 0xa0

/** How to read the extensions that we do not use and others do. */
const checks: ReadonlyMap<string, (extension: Extension) => void> = new Map([
  ['551d0e', checkSubjectKeyId],
  ['551d23', checkAuthorityKeyId],
  ['551d25', checkExtendedKeyUsage],
  ['551d20', checkPolicies],
  ['551d1f', checkDistributionPoints],
  ['2b06010505070101', checkInformationAccess],
])

/** @throws {NsmError} `invalid_argument` with the reason */
export function readExtensions(elements: readonly Element[]): Extensions {
  const extensions = elements.map(readExtension)
  // RFC 5280 section 4.2: an extension occurs at most once. Otherwise two readers could each use a different one.
  if (new Set(extensions.map((one) => one.oid)).size !== extensions.length) refuse('an extension occurs twice')
  for (const extension of extensions) check(extension)
  const find = (wanted: string) => extensions.find((extension) => extension.oid === wanted)?.value
  return {
    ...readBasicConstraints(find(oid.basicConstraints)),
    keyUsage: readKeyUsage(find(oid.keyUsage)),
    uris: readUris(find(oid.subjectAltName)),
    unknownCritical: extensions.filter((one) => one.isCritical && !understood.has(one.oid)).map((one) => one.oid),
  }
}

function readExtension(element: Element): Extension {
  const [id, second, third, ...rest] = readAll(expectTag(element, tags.sequence).value)
  const hasFlag = second?.tag === tags.boolean
  if (rest.length > 0 || (!hasFlag && third !== undefined)) refuse('an extension is malformed')
  const { value } = expectTag(hasFlag ? third : second, tags.octetString)
  return { oid: readOid(id), isCritical: hasFlag && readBoolean(second), value }
}

function check(extension: Extension): void {
  if (constraints.has(extension.oid)) refuse('it constrains names or policies, which is not supported')
  checks.get(extension.oid)?.(extension)
}

function readBasicConstraints(value: Uint8Array | undefined): Pick<Extensions, 'isAuthority' | 'pathLength'> {
  if (value === undefined) return { isAuthority: false, pathLength: undefined }
  const fields = readAll(readOnly(value, tags.sequence).value)
  const [first, second] = fields
  const hasFlag = first?.tag === tags.boolean
  const length = hasFlag ? second : first
  if (fields.length > (hasFlag ? 2 : 1)) refuse('its basic constraints are malformed')
  return {
    isAuthority: hasFlag && readBoolean(first),
    pathLength: length === undefined ? undefined : readSmallNumber(length),
  }
}

function readKeyUsage(value: Uint8Array | undefined): KeyUsage | undefined {
  if (value === undefined) return undefined
  const bits = readNamedBits(readOnly(value, tags.bitString))
  return {
    digitalSignature: (bits & (1 << 0)) !== 0,
    keyCertSign: (bits & (1 << 5)) !== 0,
    crlSign: (bits & (1 << 6)) !== 0,
  }
}

function readUris(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return []
  const all = readAll(readOnly(value, tags.sequence).value)
  for (const name of all) checkGeneralName(name)
  return all.filter(({ tag }) => tag === names.uri).map((name) => text(name.value))
}

const HOST = String.raw`[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*`
const URI = new RegExp(
  String.raw`^[A-Za-z][A-Za-z0-9+.-]*://${HOST}(?::\d{1,5})?(?:/(?:[\w.~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$`,
)

function checkGeneralName({ tag, value }: Element): void {
  if (tag === names.email && !isAscii(value)) refuse('an email address in it is not ASCII')
  // In a certificate of others it may stand for all hosts of a domain.
  if (tag === names.dns && !isHostName(text(value).replace(/^\*\./, ''))) refuse('a DNS name in it is not a host name')
  if (tag === names.uri && !URI.test(text(value))) refuse('a URI in it is malformed')
  if (tag === names.ip && value.length !== 4 && value.length !== 16) refuse('an IP address in it is malformed')
}

function checkSubjectKeyId({ isCritical, value }: Extension): void {
  if (isCritical) refuse('its subject key identifier is critical')
  readOnly(value, tags.octetString)
}

function checkAuthorityKeyId({ isCritical, value }: Extension): void {
  if (isCritical) refuse('its authority key identifier is critical')
  readAll(readOnly(value, tags.sequence).value)
}

function checkExtendedKeyUsage({ value }: Extension): void {
  for (const purpose of readAll(readOnly(value, tags.sequence).value)) readOid(purpose)
}

function checkPolicies({ value }: Extension): void {
  const policies = readAll(readOnly(value, tags.sequence).value)
  const ids = policies.map((policy) => readOid(readAll(expectTag(policy, tags.sequence).value)[0]))
  if (new Set(ids).size !== ids.length) refuse('a policy occurs twice')
}

function checkDistributionPoints({ value }: Extension): void {
  for (const point of readAll(readOnly(value, tags.sequence).value)) {
    const [name] = readAll(expectTag(point, tags.sequence).value)
    if (name?.tag === FIRST) readAll(readOnly(name.value, FIRST).value)
  }
}

function checkInformationAccess({ isCritical, value }: Extension): void {
  if (isCritical) refuse('its information access is critical')
  for (const access of readAll(readOnly(value, tags.sequence).value)) {
    const [method, location, ...rest] = readAll(expectTag(access, tags.sequence).value)
    readOid(method)
    if (location === undefined || rest.length > 0) refuse('its information access is malformed')
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
