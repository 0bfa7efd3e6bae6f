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
  set: 0x31,
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
export function readNamedBits(element: Element | undefined): number {
  const { value } = expectTag(element, tags.bitString)
  const [unused = 0xff, first = 0, second = 0] = value
  const last = value.length === 1 ? 0xff : (value.at(-1) ?? 0)
  const isPadded = unused <= 7 && (last & ((1 << unused) - 1)) === 0
  if (value.length > 3 || !isPadded) refuse('a bit string is malformed')
  return [...bits(first), ...bits(second)].reduce((all, bit, position) => all | (bit << position), 0)
}

/** The content of a bit string whose length is a multiple of 8 bits. */
export function readBitString(element: Element | undefined): Uint8Array {
  const { value } = expectTag(element, tags.bitString)
  if (value[0] !== 0) refuse('a bit string has unused bits')
  return value.subarray(1)
}

/** The content of an integer, big-endian in two's complement, in its shortest form. */
export function readInteger(element: Element | undefined): Uint8Array {
  const { value } = expectTag(element, tags.integer)
  const [first, second = 0] = value
  if (first === undefined) refuse('an integer is empty')
  const isLong = value.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
  if (isLong) refuse('an integer is not in its shortest form')
  return value
}

/** An integer from 0 to 2^31 - 1. */
export function readSmallNumber(element: Element | undefined): number {
  const value = readInteger(element)
  if (value.length > 4 || (value[0] ?? 0) >= 0x80) refuse('a number is negative or too large')
  return value.reduce((sum, byte) => sum * 256 + byte, 0)
}

export function readBoolean(element: Element | undefined): boolean {
  const { value } = expectTag(element, tags.boolean)
  if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) refuse('a boolean is neither true nor false')
  return value[0] === 0xff
}

/** The content of an object identifier, in hexadecimal. Each of its numbers is less than 2^31, in its shortest form. */
export function readOid(element: Element | undefined): string {
  const { value } = expectTag(element, tags.oid)
  if (value.length === 0 || (value.at(-1) ?? 0) >= 0x80) refuse('an object identifier is truncated')
  let number = 0
  for (const [at, byte] of value.entries()) {
    if (byte === 0x80 && number === 0 && (value[at - 1] ?? 0) < 0x80) refuse('an object identifier is malformed')
    number = number * 128 + (byte & 0x7f)
    if (number >= 2 ** 31) refuse('an object identifier has a number that is too large')
    if (byte < 0x80) number = 0
  }
  return Buffer.from(value).toString('hex')
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
