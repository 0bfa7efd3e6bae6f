import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeToken, encodeToken, type JoinToken } from './token.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
const tokens: fc.Arbitrary<JoinToken> = fc.record({
  kind: fc.constantFrom('domain', 'node'),
  domain: fc.stringMatching(/^[a-z0-9.-]{1,63}$/),
  guest: fc.stringMatching(/^[a-z0-9.-]{0,63}$/),
  addresses: fc.array(fc.constantFrom('192.0.2.1:5002', '[2001:db8::1]:5002', 'registry.test:1'), {
    minLength: 1,
    maxLength: 8,
  }),
  secret: bytes32,
  fingerprint: bytes32,
  expiresMs: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
})

const good: JoinToken = {
  kind: 'domain',
  domain: 'east',
  guest: 'west',
  addresses: ['192.0.2.1:5002'],
  secret: Buffer.alloc(32, 1).toString('base64url'),
  fingerprint: Buffer.alloc(32, 2).toString('base64url'),
  expiresMs: 1_900_000_000_000,
}
const raw = (fields: object) =>
  Buffer.from(JSON.stringify({ v: 2, ...good, expires: 1, ...fields })).toString('base64url')

describe('join token', () => {
  test('decodes to what was encoded, also with white space around it', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(decodeToken(encodeToken(token))).toEqual(token)
        expect(decodeToken(` ${encodeToken(token)}\n`)).toEqual(token)
      }),
    )
  })

  test('every truncation is refused', () => {
    const text = encodeToken(good)
    for (let length = 0; length < text.length; length += 1) {
      expect(() => decodeToken(text.slice(0, length))).toThrow(/Cannot read the token/)
    }
  })

  test('any other text is refused with a clear error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          expect(() => decodeToken(text)).toThrow(/Cannot read the token/)
        },
      ),
    )
  })

  test.each([
    ['a later version', raw({ v: 3 })],
    ['version 1, which does not say who may join', raw({ v: 1, node: '' })],
    ['nobody who may join', raw({ guest: undefined })],
    ['another kind', raw({ kind: 'root' })],
    ['no address', raw({ addresses: [] })],
    ['too many addresses', raw({ addresses: Array(9).fill('192.0.2.1:1') })],
    ['an address that is not text', raw({ addresses: [1] })],
    ['a short secret', raw({ secret: 'AAAA' })],
    ['a short fingerprint', raw({ fingerprint: 'AAAA' })],
    ['no expiry', raw({ expires: null })],
    ['an endless expiry', raw({ expires: 1e300 })],
    ['a list', Buffer.from('[]').toString('base64url')],
    ['4 KiB', 'A'.repeat(4_097)],
  ])('refuses %s', (_, text) => expect(() => decodeToken(text)).toThrow(/Cannot read the token/))
})
