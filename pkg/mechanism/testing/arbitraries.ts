/** Values of mechanism parameters, for property tests. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { MAX_MTU_BYTES, MAX_PORT } from '../../net/index.ts'
import { AEADS, type Terms } from '../wireguard/agreement.ts'

export const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

export const anyIp = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', 'fd00::2'))
export const anyPort = fc.integer({ min: 1, max: MAX_PORT })
export const anyMtu = maybe(fc.integer({ min: 1, max: MAX_MTU_BYTES }))
export const anyKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => Buffer.from(bytes).toString('base64'))

/** What two nodes of nsmesh may agree on. */
export const anyTerms: fc.Arbitrary<Terms> = fc.record({
  aead: fc.constantFrom(...AEADS),
  probeMessages: fc.boolean(),
})

export function expectRefusal(action: () => unknown, parameter: string): void {
  expect(action).toThrow(
    expect.objectContaining({ code: 'invalid_argument', fields: expect.objectContaining({ parameter }) }),
  )
}
