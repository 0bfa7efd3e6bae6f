/**
 * A strict reader of DER, just enough to see what certificates and requests say: definite and shortest lengths only,
 * nothing behind the end. Every step is bounded by the bytes at hand; there is no recursion.
 */
import { NsmError } from '../base/index.ts'

export interface Element {
  readonly tag: number
  readonly value: Uint8Array
  /** Tag, length and value. */
  readonly raw: Uint8Array
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
  /** GeneralName.uniformResourceIdentifier */
  uri: 0x86,
  /** TBSCertificate.extensions */
  extensions: 0xa3,
} as const

/** @throws {NsmError} `invalid_argument`, as all of these, where the bytes are not the DER that is asked for. */
export function readOnly(bytes: Uint8Array, tag: number): Element {
  const element = readAt(bytes, 0)
  if (element.raw.length !== bytes.length) refuse('bytes behind the end')
  return expectTag(element, tag)
}

/** The elements inside a constructed one. */
export function readAll(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const element = readAt(bytes, offset)
    elements.push(element)
    offset += element.raw.length
  }
  return elements
}

export function expectTag(element: Element | undefined, tag: number): Element {
  if (element === undefined) refuse('element missing')
  if (element.tag !== tag) refuse('unexpected tag')
  return element
}

/** Bits as `1 << position`, position 0 first, for named bit lists of up to 16 bits. */
export function readNamedBits(bitString: Uint8Array): number {
  const [unused = 0xff, first = 0, second = 0] = bitString
  if (bitString.length < 1 || bitString.length > 3 || unused > 7) refuse('bit string')
  return [...bits(first), ...bits(second)].reduce((all, bit, position) => all | (bit << position), 0)
}

/** The content of a bit string of whole bytes. */
export function readBitString(element: Element | undefined): Uint8Array {
  const { value } = expectTag(element, tags.bitString)
  if (value[0] !== 0) refuse('bit string')
  return value.subarray(1)
}

function bits(byte: number): number[] {
  return [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1)
}

function readAt(bytes: Uint8Array, offset: number): Element {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) refuse('truncated')
  if ((tag & 0x1f) === 0x1f) refuse('long tag')
  const { length, bytes: lengthBytes } = first < 0x80 ? { length: first, bytes: 1 } : readLongLength(bytes, offset + 1)
  const start = offset + 1 + lengthBytes
  const end = start + length
  if (end > bytes.length) refuse('truncated')
  return { tag, value: bytes.subarray(start, end), raw: bytes.subarray(offset, end) }
}

function readLongLength(bytes: Uint8Array, offset: number): { length: number; bytes: number } {
  const count = (bytes[offset] ?? 0) & 0x7f
  if (count === 0) refuse('indefinite length')
  if (count > 3 || offset + count >= bytes.length) refuse('length')
  const length = bytes.subarray(offset + 1, offset + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  if (length < 0x80 || length < 256 ** (count - 1)) refuse('length is not the shortest')
  return { length, bytes: 1 + count }
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', 'Cannot read DER', { fields: { reason } })
}
