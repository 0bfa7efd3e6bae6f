import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedNames } from './sorted-names.ts'

test('SortedNames gives what a sorted set gives, after any changes', () => {
  const name = fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'ä', 'z')
  const changes = fc.array(fc.record({ name, isAdded: fc.boolean() }))
  fc.assert(
    fc.property(changes, name, fc.nat({ max: 8 }), (all, after, most) => {
      const names = new SortedNames()
      const model = new Set<string>()
      for (const { name, isAdded } of all) {
        if (isAdded) names.add(name)
        else names.delete(name)
        if (isAdded) model.add(name)
        else model.delete(name)
      }
      const expected = [...model].sort().filter((each) => each > after)
      expect(names.after(after, most)).toEqual(expected.slice(0, most))
      expect(names.after(after)).toEqual(expected)
      expect(names.size).toBe(model.size)
    }),
  )
})
