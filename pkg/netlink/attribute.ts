/**
 * Attributes (struct nlattr): length and type of 16 bits each, the value, and padding to 4 bytes. Values can be nested,
 * so callers build plain trees. Only the holder has the file descriptor of a namespace: the encoder leaves room for it
 * and returns the offset.
 */
import { NsmError } from '../base/index.ts'
import { align, concatBytes, HOST_IS_LITTLE_ENDIAN, malformed, viewOf } from './bytes.ts'

export const ATTRIBUTE_HEADER_BYTES = 4
const MAX_ATTRIBUTE_BYTES = 65_535
const FD_BYTES = 4
/** The two highest bits of the type field are the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NESTED = 0x8000
const TYPE_MASK = 0x3fff

/** Stands for the file descriptor of a namespace, which only the holder has. */
export interface NamespaceFd {
  readonly namespace: string
}

/** A structure followed by attributes, which is the value of some attribute types. */
export interface StructWithAttributes {
  readonly fixed: Uint8Array
  readonly attributes: readonly Attribute[]
}

export interface Attribute {
  readonly type: number
  readonly value: Uint8Array | readonly Attribute[] | NamespaceFd | StructWithAttributes
}

/** Where in a message the holder must write its file descriptor of a namespace. */
export interface FdPatch {
  readonly offset: number
  readonly namespace: string
}

export const attribute = {
  bytes: (type: number, value: Uint8Array): Attribute => ({ type, value }),
  /** Adds the terminating zero that the kernel expects of names. */
  text: (type: number, value: string): Attribute => ({ type, value: new TextEncoder().encode(`${value}\0`) }),
  u8: (type: number, value: number): Attribute => ({ type, value: Uint8Array.of(value) }),
  u16: (type: number, value: number): Attribute => ({
    type,
    value: number(2, (view) => view.setUint16(0, value, HOST_IS_LITTLE_ENDIAN)),
  }),
  u32: (type: number, value: number): Attribute => ({
    type,
    value: number(4, (view) => view.setUint32(0, value, HOST_IS_LITTLE_ENDIAN)),
  }),
  u64: (type: number, value: bigint): Attribute => ({
    type,
    value: number(8, (view) => view.setBigUint64(0, value, HOST_IS_LITTLE_ENDIAN)),
  }),
  nested: (type: number, value: readonly Attribute[]): Attribute => ({ type, value }),
  struct: (type: number, fixed: Uint8Array, attributes: readonly Attribute[]): Attribute => ({
    type,
    value: { fixed, attributes },
  }),
  namespaceFd: (type: number, namespace: string): Attribute => ({ type, value: { namespace } }),
} as const

export interface Encoded {
  readonly bytes: Uint8Array
  readonly fdPatches: readonly FdPatch[]
}

/** @throws {NsmError} `invalid_argument` for a value whose length does not fit into 16 bits */
export function encodeAttributes(attributes: readonly Attribute[]): Encoded {
  const encoded = attributes.map(encodeAttribute)
  const bytes = new Uint8Array(encoded.reduce((length, part) => length + part.bytes.length, 0))
  const fdPatches: FdPatch[] = []
  let at = 0
  for (const part of encoded) {
    bytes.set(part.bytes, at)
    for (const patch of part.fdPatches) fdPatches.push({ ...patch, offset: at + patch.offset })
    at += part.bytes.length
  }
  return { bytes, fdPatches }
}

function encodeAttribute({ type, value }: Attribute): Encoded {
  const { bytes, fdPatches } = encodeValue(value)
  const length = ATTRIBUTE_HEADER_BYTES + bytes.length
  if (length > MAX_ATTRIBUTE_BYTES) {
    throw new NsmError(
      'invalid_argument',
      'Cannot encode the netlink message: an attribute is longer than 65535 bytes',
      {
        fields: { attribute: type, bytes: length },
      },
    )
  }
  const whole = new Uint8Array(align(length))
  const view = viewOf(whole)
  view.setUint16(0, length, HOST_IS_LITTLE_ENDIAN)
  view.setUint16(2, Array.isArray(value) ? type | NESTED : type, HOST_IS_LITTLE_ENDIAN)
  whole.set(bytes, ATTRIBUTE_HEADER_BYTES)
  return {
    bytes: whole,
    fdPatches: fdPatches.map((patch) => ({ ...patch, offset: ATTRIBUTE_HEADER_BYTES + patch.offset })),
  }
}

function encodeValue(value: Attribute['value']): Encoded {
  if (value instanceof Uint8Array) return { bytes: value, fdPatches: [] }
  if ('namespace' in value) {
    return { bytes: new Uint8Array(FD_BYTES), fdPatches: [{ offset: 0, namespace: value.namespace }] }
  }
  return 'fixed' in value ? encodeStruct(value) : encodeAttributes(value)
}

/** Encodes a structure, whose length is a multiple of 4, and the attributes that follow it. */
export function encodeStruct({ fixed, attributes }: StructWithAttributes): Encoded {
  const { bytes, fdPatches } = encodeAttributes(attributes)
  return {
    bytes: concatBytes([fixed, bytes]),
    fdPatches: fdPatches.map((patch) => ({ ...patch, offset: fixed.length + patch.offset })),
  }
}

export interface RawAttribute {
  readonly type: number
  readonly value: Uint8Array
}

/** The attributes in `bytes`, in order. @throws {NsmError} `invalid_argument` when one extends beyond the end */
export function decodeAttributes(bytes: Uint8Array): readonly RawAttribute[] {
  const view = viewOf(bytes)
  const attributes: RawAttribute[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < ATTRIBUTE_HEADER_BYTES) throw malformed('it ends inside the header of an attribute', { at })
    const length = view.getUint16(at, HOST_IS_LITTLE_ENDIAN)
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) {
      throw malformed('an attribute is shorter than its header or extends beyond the end', { at, length })
    }
    const type = view.getUint16(at + 2, HOST_IS_LITTLE_ENDIAN) & TYPE_MASK
    attributes.push({ type, value: bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length) })
    at += align(length)
  }
  return attributes
}

function number(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size)
  write(viewOf(bytes))
  return bytes
}
