import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing/index.ts'
import { EndpointIndex } from './record-index.ts'

const EVERYTHING = { after: '', most: Number.POSITIVE_INFINITY }

describe('EndpointIndex', () => {
  test('finds endpoints by the services that they serve now', () => {
    const index = new EndpointIndex()
    const names = (query: object) => index.candidates(query, EVERYTHING).map(({ name }) => name)
    index.set(endpoint('b', { networkServiceNames: ['files', 'db'] }))
    index.set(endpoint('a', { networkServiceNames: ['db'] }))
    expect([names({ networkServiceNames: ['db'] }), names({ networkServiceNames: ['files'] })]).toEqual([
      ['a', 'b'],
      ['b'],
    ])
    index.set(endpoint('b', { networkServiceNames: ['files'] }))
    expect(names({ networkServiceNames: ['db'] })).toEqual(['a'])
    index.delete('a')
    expect([names({ networkServiceNames: ['db'] }), names({})]).toEqual([[], ['b']])
  })

  test('counts what an owner has, also when a record changes hands', () => {
    const index = new EndpointIndex()
    index.set(endpoint('a', { pathIds: ['one'] }))
    index.set(endpoint('a', { pathIds: ['two'] }))
    index.set(endpoint('b', { pathIds: ['two'] }))
    expect(['one', 'two'].map((owner) => index.countOwned(owner))).toEqual([0, 2])
  })

  test('gives a range in the order of the names', () => {
    const index = new EndpointIndex()
    for (const name of ['c', 'a', 'd', 'b']) index.set(endpoint(name))
    const page = index.candidates({ networkServiceNames: ['files'] }, { after: 'a', most: 2 })
    expect(page.map(({ name }) => name)).toEqual(['b', 'c'])
  })
})
