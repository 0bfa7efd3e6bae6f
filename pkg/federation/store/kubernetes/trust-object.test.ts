import { describe, expect, test } from 'vitest'
import { domain, invitation, node, self } from '../../testing/sample-records.ts'
import { fromTrustObject, isRecord, toTrustObject } from './trust-object.ts'

describe('objects of the trust store', () => {
  test.each([node('n1'), node('n_1'), { ...node('n1'), revokedMs: 7 }, domain, invitation, self])(
    'give back a $kind, to the last field',
    (record) => {
      const object = JSON.parse(JSON.stringify(toTrustObject(record, { namespace: 'mesh' })))
      expect(fromTrustObject(object)).toEqual(record)
      expect(isRecord(object)).toBe(true)
    },
  )

  test('are named after kind and subject', () => {
    expect(toTrustObject(node('west'), {}).metadata.name).toBe('node.west')
    expect(toTrustObject(domain, {}).metadata.name).toBe('domain.west')
  })

  test('with the name of another record are none', () => {
    const { spec } = toTrustObject(node('n1'), {})
    expect(isRecord({ metadata: { name: 'node.n2' }, spec })).toBe(false)
  })
})
