/** X25519 keys (RFC 7748) as the mechanism parameters carry them: base64 of 32 bytes. */
import { createPrivateKey, randomBytes } from 'node:crypto'

export interface WireKey {
  readonly privateKey: string
  readonly publicKey: string
}

const KEY_BYTES = 32
/** The format demands a public key, and what reads it computes it from the private one. */
const ANY_PUBLIC_KEY = Buffer.alloc(KEY_BYTES).toString('base64url')

export function generateKey(): WireKey {
  const privateKey = randomBytes(KEY_BYTES).toString('base64')
  return { privateKey, publicKey: publicKeyOf(privateKey) }
}

/**
 * As a JSON Web Key (RFC 8037), because OpenSSL takes ten times as long to read the DER of PKCS #8: half a millisecond.
 *
 * @param privateKey base64 of 32 bytes; clamping happens inside, every value is a key
 */
export function publicKeyOf(privateKey: string): string {
  const d = Buffer.from(privateKey, 'base64').toString('base64url')
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d, x: ANY_PUBLIC_KEY }, format: 'jwk' })
  const { x = '' } = key.export({ format: 'jwk' })
  return keyText(Buffer.from(x, 'base64url'))
}

/** Whether `text` is a key in its one canonical spelling. */
export function isWireKey(text: string): boolean {
  const bytes = keyBytes(text)
  return bytes.length === KEY_BYTES && keyText(bytes) === text
}

export function keyBytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}

export function keyText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
