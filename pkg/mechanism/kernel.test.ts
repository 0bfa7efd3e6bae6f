import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isInterfaceName } from '../net/index.ts'
import { generateInterfaceName } from './kernel.ts'

test('generateInterfaceName is a name of 15 characters that starts like the service', () => {
  expect(generateInterfaceName('lab-svc', () => 10)).toBe('lab-svc-aaaaaaa')
  expect(generateInterfaceName('a-very-long-service', () => 0)).toBe('a-very-lon-0000')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (service) => {
      const name = generateInterfaceName(service)
      expect(name).toHaveLength(15)
      expect(isInterfaceName(name)).toBe(true)
    }),
  )
})
