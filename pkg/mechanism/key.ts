/** X25519 keys (RFC 7748) as the mechanism parameters carry them: base64 of 32 bytes. */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'

export interface WireKey {
  readonly privateKey: string
  readonly publicKey: string
}

/** DER of a PKCS #8 X25519 private key up to its 32 bytes (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')
const KEY_BYTES = 32

export function generateKey(): WireKey {
  const privateKey = randomBytes(KEY_BYTES).toString('base64')
  return { privateKey, publicKey: publicKeyOf(privateKey) }
}

/** @param privateKey base64 of 32 bytes; clamping happens inside, every value is a key */
export function publicKeyOf(privateKey: string): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, keyBytes(privateKey)]), format: 'der', type: 'pkcs8' })
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return der.subarray(-KEY_BYTES).toString('base64')
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
