import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseSpiffeId } from './spiffe-id.ts'

it.each([
  ['spiffe://east', 'east', ''],
  ['spiffe://east.example_1-x/node/n1/uid/1000', 'east.example_1-x', '/node/n1/uid/1000'],
  ['spiffe://east/A.b-C_d/...', 'east', '/A.b-C_d/...'],
])('reads %s', (id, trustDomain, path) => {
  expect(parseSpiffeId(id)).toEqual({ id, trustDomain, path })
})

it.each([
  '',
  'spiffe:/east/a',
  'SPIFFE://east/a',
  'https://east/a',
  'spiffe://',
  'spiffe:///a',
  'spiffe://East/a',
  'spiffe://east:8080/a',
  'spiffe://user@east/a',
  'spiffe://east/',
  'spiffe://east/a/',
  'spiffe://east//a',
  'spiffe://east/./a',
  'spiffe://east/a/..',
  'spiffe://east/a%2fb',
  'spiffe://east/a?b',
  'spiffe://east/a#b',
  'spiffe://east/a b',
  'spiffe://east/ä',
  'spiffe://east/a\n',
  ' spiffe://east/a',
  `spiffe://${'a'.repeat(256)}/a`,
  `spiffe://east/${'a'.repeat(2048)}`,
])('refuses %j', (id) => {
  expect(() => parseSpiffeId(id)).toThrow('Cannot parse the SPIFFE ID')
})

it('returns every accepted id unchanged', () => {
  fc.assert(
    fc.property(fc.domain(), fc.webPath(), fc.string(), (domain, path, tail) => {
      const id = `spiffe://${domain}${path}${tail}`
      try {
        const read = parseSpiffeId(id)
        expect(`spiffe://${read.trustDomain}${read.path}`).toBe(id)
      } catch (error) {
        expect(String(error)).toContain('Cannot parse the SPIFFE ID')
      }
    }),
  )
})
