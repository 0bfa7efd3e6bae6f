import { expect, test } from 'vitest'
import { generateKey, publicKeyOf } from './key.ts'

test('publicKeyOf agrees with RFC 7748 section 6.1', () => {
  const bob = Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex')
  const itsPublicKey = Buffer.from('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f', 'hex')
  expect(publicKeyOf(bob.toString('base64'))).toBe(itsPublicKey.toString('base64'))
  const { privateKey, publicKey } = generateKey()
  expect(publicKeyOf(privateKey)).toBe(publicKey)
  expect(generateKey().publicKey).not.toBe(publicKey)
})
