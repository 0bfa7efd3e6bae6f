/**
 * A strict DER reader that covers what certificates and certificate requests need. It accepts only definite lengths in
 * their shortest form and no trailing bytes. All reads are bounds-checked, and there is no recursion.
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

/**
 * Reads `bytes` as exactly one element. Like all functions here,
 * @throws {NsmError} `invalid_argument` for other input.
 */
export function readOnly(bytes: Uint8Array, tag: number): Element {
  const element = readAt(bytes, 0)
  if (element.raw.length !== bytes.length) refuse('there are bytes after the end')
  return expectTag(element, tag)
}

/** The elements in the content of a constructed element. */
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
  if (element === undefined) refuse('an element is missing')
  if (element.tag !== tag) refuse('an element has an unexpected tag')
  return element
}

/** Reads a named bit list of up to 16 bits. Bit n of the list becomes `1 << n`. */
export function readNamedBits(bitString: Uint8Array): number {
  const [unused = 0xff, first = 0, second = 0] = bitString
  if (bitString.length < 1 || bitString.length > 3 || unused > 7) refuse('a bit string is malformed')
  return [...bits(first), ...bits(second)].reduce((all, bit, position) => all | (bit << position), 0)
}

/** The content of a bit string whose length is a multiple of 8 bits. */
export function readBitString(element: Element | undefined): Uint8Array {
  const { value } = expectTag(element, tags.bitString)
  if (value[0] !== 0) refuse('a bit string has unused bits')
  return value.subarray(1)
}

function bits(byte: number): number[] {
  return [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1)
}

function readAt(bytes: Uint8Array, offset: number): Element {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) refuse('an element is truncated')
  if ((tag & 0x1f) === 0x1f) refuse('a tag is longer than one byte')
  const { length, bytes: lengthBytes } = first < 0x80 ? { length: first, bytes: 1 } : readLongLength(bytes, offset + 1)
  const start = offset + 1 + lengthBytes
  const end = start + length
  if (end > bytes.length) refuse('an element is truncated')
  return { tag, value: bytes.subarray(start, end), raw: bytes.subarray(offset, end) }
}

function readLongLength(bytes: Uint8Array, offset: number): { length: number; bytes: number } {
  const count = (bytes[offset] ?? 0) & 0x7f
  if (count === 0) refuse('a length is indefinite')
  if (count > 3 || offset + count >= bytes.length) refuse('a length is too large or truncated')
  const length = bytes.subarray(offset + 1, offset + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  if (length < 0x80 || length < 256 ** (count - 1)) refuse('a length is not in its shortest form')
  return { length, bytes: 1 + count }
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', `Cannot decode the DER: ${reason}`)
}
