import { decodeAttributes, type RawAttribute } from './attribute.ts'
import { HOST_IS_LITTLE_ENDIAN, malformed, readStruct, viewOf } from './bytes.ts'

/**
 * Received attributes by type. If a type occurs several times, the last one counts, as in the kernel; `all` returns
 * every one. Each getter throws `invalid_argument` when the attribute is present with a different length than expected.
 */
export class Attributes {
  readonly #list: readonly RawAttribute[]
  readonly #byType: ReadonlyMap<number, Uint8Array>

  constructor(bytes: Uint8Array) {
    this.#list = decodeAttributes(bytes)
    this.#byType = new Map(this.#list.map(({ type, value }) => [type, value]))
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#byType.get(type)
  }

  /** All values of a type that may be repeated, in order. */
  all(type: number): readonly Uint8Array[] {
    return this.#list.flatMap((entry) => (entry.type === type ? [entry.value] : []))
  }

  /** The text without the terminating zero, which the kernel writes and the holder does not. */
  text(type: number): string | undefined {
    const bytes = this.#byType.get(type)
    if (bytes === undefined) return undefined
    return new TextDecoder().decode(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes)
  }

  u8(type: number): number | undefined {
    return this.#exactly(type, 1)?.getUint8(0)
  }

  u16(type: number): number | undefined {
    return this.#exactly(type, 2)?.getUint16(0, HOST_IS_LITTLE_ENDIAN)
  }

  u32(type: number): number | undefined {
    return this.#exactly(type, 4)?.getUint32(0, HOST_IS_LITTLE_ENDIAN)
  }

  u64(type: number): bigint | undefined {
    return this.#exactly(type, 8)?.getBigUint64(0, HOST_IS_LITTLE_ENDIAN)
  }

  nested(type: number): Attributes | undefined {
    const bytes = this.#byType.get(type)
    return bytes === undefined ? undefined : new Attributes(bytes)
  }

  #exactly(type: number, size: number): DataView | undefined {
    const bytes = this.#byType.get(type)
    if (bytes === undefined) return undefined
    if (bytes.length !== size)
      throw malformed('a number has the wrong length', { attribute: type, bytes: bytes.length })
    return viewOf(bytes)
  }
}

/** The attributes after a structure of `size` bytes at the start of a message body. */
export function attributesAfter(body: Uint8Array, size: number, what: string): Attributes {
  readStruct(body, size, what)
  return new Attributes(body.subarray(size))
}
