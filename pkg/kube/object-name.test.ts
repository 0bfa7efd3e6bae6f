import { expect, test } from 'vitest'
import { objectNameOf } from './object-name.ts'

test('objectNameOf keeps the names that an object can have', () => {
  for (const name of ['files', 'db.v2', 'nse-7f9', '0', 'a'.repeat(253)]) expect(objectNameOf(name)).toBe(name)
})

test('objectNameOf gives every other name one of its own', () => {
  const names = ['Files', 'files ', 'a..b', '-a', 'a-', 'a_b', '', 'a'.repeat(254), 'ä', objectNameOf('Files')]
  const found = names.map(objectNameOf)
  for (const name of found) expect(name).toMatch(/^x-[0-9a-f]{40}$/)
  expect(new Set(found).size).toBe(names.length)
})
