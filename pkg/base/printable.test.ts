import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPrintable, toPrintable, toPrintableLines } from './index.ts'

test.each([
  ['\u001b[31mred', '\\u001b[31mred'],
  ['\u009b31m', '\\u009b31m'],
  ['a\u202eb', 'a\\u202eb'],
  ['a\u2066b\u2069', 'a\\u2066b\\u2069'],
  ['a\u200fb', 'a\\u200fb'],
  ['a\nb', 'a\\u000ab'],
  ['a\u2028b', 'a\\u2028b'],
  ['a\u{e0041}b', 'a\\udb40\\udc41b'],
  ['\ud800', '\\ud800'],
])('toPrintable escapes %j', (text, expected) => {
  expect(isPrintable(text)).toBe(false)
  expect(toPrintable(text)).toBe(expected)
})

test.each(['web@east', 'größe', 'файлы', '文件', '👍', 'a b'])('%s is printable', (text) => {
  expect(isPrintable(text)).toBe(true)
  expect(toPrintable(text)).toBe(text)
})

test('what toPrintable gives is printable, and JSON with escapes means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(isPrintable(toPrintable(text))).toBe(true)
      expect(JSON.parse(toPrintableLines(JSON.stringify(text)))).toBe(text)
    }),
  )
})
