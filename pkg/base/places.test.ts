import { expect, test } from 'vitest'
import { errorCode, Places } from './index.ts'

function outcomeOf(take: () => unknown): string {
  try {
    take()
    return 'taken'
  } catch (error) {
    return errorCode(error)
  }
}

test('Places gives each holder its share, and all together no more than there are', () => {
  const places = new Places({ what: 'a search', perHolder: 2, total: 3 })
  const leave = places.take('a')
  const takeAll = () => ['a', 'a', 'b', 'b'].map((holder) => outcomeOf(() => places.take(holder)))
  expect(takeAll()).toEqual(['taken', 'resource_exhausted', 'taken', 'resource_exhausted'])
  leave()
  expect(outcomeOf(() => places.take('b'))).toBe('taken')
})
