import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Exports, mayRequest } from './may-request.ts'

const exports: Exports = new Map([
  ['east', new Set(['files', 'db'])],
  ['north', new Set<string>()],
])

describe('mayRequest', () => {
  test.each([
    ['west', 'files', true],
    ['west', 'private', true],
    ['east', 'files', true],
    ['east', 'private', false],
    ['east', 'Files', false],
    ['east', 'files.', false],
    ['east', '*', false],
    ['EAST', 'files', false],
    ['east', '', false],
    ['north', 'files', false],
    ['stranger', 'files', false],
    ['', 'files', false],
    ['west', '', false],
  ])('caller %j, service %j: %s', (callerDomain, service, expected) => {
    expect(mayRequest({ callerDomain, ownDomain: 'west', service, exports })).toBe(expected)
  })

  test('a caller from another domain may request a service only if it was exported to that domain', () => {
    const name = fc.constantFrom('east', 'north', 'files', 'db', 'toString', '__proto__', '*', '')
    fc.assert(
      fc.property(name, name, (callerDomain, service) => {
        const listed = [...exports].some(([domain, services]) => domain === callerDomain && services.has(service))
        expect(mayRequest({ callerDomain, ownDomain: 'west', service, exports })).toBe(listed)
      }),
    )
  })
})
