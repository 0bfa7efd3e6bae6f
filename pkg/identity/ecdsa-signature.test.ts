import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, it } from 'vitest'
import { signatureFromDer, signatureToDer } from './ecdsa-signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const raw = { dsaEncoding: 'ieee-p1363' } as const

it('signatureToDer and signatureFromDer agree with OpenSSL', () => {
  for (let each = 0; each < 500; each += 1) {
    const data = Buffer.from(`message ${each}`)
    const signature = sign('sha256', data, { key: privateKey, ...raw })
    expect(verify('sha256', data, publicKey, signatureToDer(signature))).toBe(true)
    const der = sign('sha256', data, privateKey)
    expect(verify('sha256', data, { key: publicKey, ...raw }, signatureFromDer(der))).toBe(true)
    expect(Buffer.from(signatureToDer(signatureFromDer(der)))).toEqual(der)
  }
})

it.each([
  ['zero', '00'.repeat(32), '00'.repeat(32), '3006020100020100'],
  ['small numbers', `${'00'.repeat(31)}01`, `${'00'.repeat(31)}7f`, '300602010102017f'],
  [
    'a number that needs a zero in front',
    `${'00'.repeat(31)}80`,
    `80${'00'.repeat(31)}`,
    `302702020080022100${'80'.padEnd(64, '0')}`,
  ],
])('signatures of %s', (_, r, s, der) => {
  const signature = Buffer.from(r + s, 'hex')
  expect(Buffer.from(signatureToDer(signature)).toString('hex')).toBe(der)
  expect(signatureFromDer(Buffer.from(der, 'hex'))).toEqual(signature)
})
