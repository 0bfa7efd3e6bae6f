import { expect, test } from 'vitest'
import { endpoint } from '../testing/index.ts'
import { ServedCache } from './served-cache.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => endpoint(`nse-${index}`))

test('ServedCache forgets the service that was asked for longest ago when it is full', () => {
  const cache = new ServedCache()
  for (const service of ['a', 'b']) cache.keep(service, many(4_000))
  cache.get('a')
  cache.keep('c', many(4_000))
  expect(['a', 'b', 'c'].filter((service) => cache.get(service) !== undefined)).toEqual(['a', 'c'])
  cache.forget('a')
  cache.keep('d', many(6_000))
  expect(['a', 'c', 'd'].filter((service) => cache.get(service) !== undefined)).toEqual(['c', 'd'])
})

test('ServedCache does not keep what is larger than itself', () => {
  const cache = new ServedCache()
  cache.keep('a', many(10_001))
  expect(cache.get('a')).toBeUndefined()
})
