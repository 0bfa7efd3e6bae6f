/** Bounds-checked access to structures in host byte order, which netlink uses for everything except addresses. */
import { endianness } from 'node:os'
import { NsmError } from '../base/index.ts'

export const HOST_IS_LITTLE_ENDIAN = endianness() === 'LE'

/** Netlink aligns messages and attributes to 4 bytes. */
export function align(length: number): number {
  return (length + 3) & ~3
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws {NsmError} `invalid_argument` when `bytes` is shorter than the structure */
export function readStruct(bytes: Uint8Array, size: number, what: string): DataView {
  if (bytes.length < size) throw malformed(`${what} is truncated`, { bytes: bytes.length, needed: size })
  return viewOf(bytes.subarray(0, size))
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function malformed(reason: string, fields: Readonly<Record<string, number>> = {}): NsmError {
  return new NsmError('invalid_argument', `Cannot decode the netlink message: ${reason}`, { fields })
}
