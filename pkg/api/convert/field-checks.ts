/**
 * Checks of received fields: a value that exceeds these limits is refused with the name of its field. The codecs skip
 * unknown fields, so that newer peers can talk to us.
 */
import { NsmError } from '../../base/index.ts'
import type { Labels } from '../connection.ts'
import type { Timestamp } from '../gen/google/protobuf/timestamp.ts'
import { timeFromProto, timeToProto } from './time.ts'

/** Maximum size of a whole message; a larger one is refused before it is parsed. */
export const MAX_MESSAGE_BYTES = 256 * 1024

const MAX_NAME_CHARS = 256
const MAX_TEXT_CHARS = 4096
/** Maximum length of a path token, which may contain the certificate chain of its signer. */
export const MAX_TOKEN_CHARS = 16 * 1024
/** A path through five domains has about 20 segments; a longer one is a loop. */
export const MAX_PATH_SEGMENTS = 32
const MAX_LIST_ITEMS = 1024
const MAX_MAP_ENTRIES = 128

/** Protobuf timestamps cover the years 1 to 9999. */
const LAST_SECOND = 253_402_300_799n
const FIRST_SECOND = -62_135_596_800n

export function refuse(field: string, reason: string): never {
  throw new NsmError('invalid_argument', 'Cannot read the message: a field is invalid', { fields: { field, reason } })
}

export function required<T>(value: T | undefined, field: string): T {
  return value ?? refuse(field, 'missing')
}

/** For identifiers, names and SPIFFE IDs, which are shown to users and serve as keys. */
export function name(value: string, field: string): string {
  if (value.length > MAX_NAME_CHARS) refuse(field, `longer than ${MAX_NAME_CHARS} characters`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: to refuse them is the purpose
  if (/[\u0000-\u001f\u007f]/.test(value)) refuse(field, 'contains a control character')
  return value
}

export function text(value: string, field: string): string {
  return value.length <= MAX_TEXT_CHARS ? value : refuse(field, `longer than ${MAX_TEXT_CHARS} characters`)
}

export function token(value: string, field: string): string {
  return value.length <= MAX_TOKEN_CHARS ? value : refuse(field, `longer than ${MAX_TOKEN_CHARS} characters`)
}

export function list<T, R>(values: readonly T[], field: string, read: (value: T, field: string) => R): readonly R[] {
  if (values.length > MAX_LIST_ITEMS) refuse(field, `more than ${MAX_LIST_ITEMS} items`)
  return values.map((value, index) => read(value, `${field}[${index}]`))
}

/** Keys such as `__proto__` become own properties like any other. */
export function labels(map: ReadonlyMap<string, string>, field: string): Labels {
  checkEntries(map, field)
  return Object.fromEntries([...map].map(([key, value]) => [name(key, field), text(value, field)]))
}

export function checkEntries(map: ReadonlyMap<string, unknown>, field: string): void {
  if (map.size > MAX_MAP_ENTRIES) refuse(field, `more than ${MAX_MAP_ENTRIES} entries`)
}

/** The name of an enum value; numbers without a name are refused. */
export function literal<T extends string>(value: number, field: string, numbers: Readonly<Record<T, number>>): T {
  const names = Object.keys(numbers) as T[]
  return names.find((key) => numbers[key] === value) ?? refuse(field, `unknown value ${value}`)
}

export function timeMs(time: Timestamp | undefined, field: string): number | undefined {
  if (time === undefined) return undefined
  if (time.seconds < FIRST_SECOND || time.seconds > LAST_SECOND) refuse(field, 'outside the years 1 to 9999')
  if (time.nanos < 0 || time.nanos > 999_999_999) refuse(field, 'nanoseconds outside 0 to 999999999')
  return timeFromProto(time)
}

export function timestamp(ms: number | undefined): Timestamp | undefined {
  return ms === undefined ? undefined : timeToProto(ms)
}

export function entries(record: Labels): Map<string, string> {
  return new Map(Object.entries(record))
}
