import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERSION } from './index.ts'

test('VERSION is the one of package.json', () => {
  expect(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version).toBe(VERSION)
})
