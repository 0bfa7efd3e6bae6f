/**
 * Signatures of ECDSA with P-256: two numbers. JWTs write each with 32 bytes (RFC 7518 section 3.4), OpenSSL in DER (RFC
 * 3279 section 2.2.3). Node converts by itself only where a key is wrapped in options, and looks at these with an
 * exception that takes as long as the signature.
 */

const NUMBER_BYTES = 32
const SEQUENCE = 0x30
const INTEGER = 0x02

/** @param signature 64 bytes */
export function signatureToDer(signature: Uint8Array): Uint8Array {
  const r = toInteger(signature.subarray(0, NUMBER_BYTES))
  const s = toInteger(signature.subarray(NUMBER_BYTES))
  return Uint8Array.from([SEQUENCE, r.length + s.length, ...r, ...s])
}

/** @param der as OpenSSL wrote it @returns 64 bytes */
export function signatureFromDer(der: Uint8Array): Buffer {
  const signature = Buffer.alloc(2 * NUMBER_BYTES)
  let at = 2 // after the header of the sequence
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[at + 1] ?? 0
    const number = der.subarray(at + 2, at + 2 + length).subarray(-NUMBER_BYTES) // a 33rd byte is a zero
    signature.set(number, end - number.length)
    at += 2 + length
  }
  return signature
}

/** The shortest two's complement of a number that is not negative. */
function toInteger(number: Uint8Array): readonly number[] {
  const first = number.findIndex((byte) => byte !== 0)
  const bytes = first < 0 ? [0] : [...number.subarray(first)]
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0)
  return [INTEGER, bytes.length, ...bytes]
}
