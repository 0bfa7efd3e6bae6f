import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makePrivateDirectory } from './private-directory.ts'

let parent = ''
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'nsm-private-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

test('makePrivateDirectory creates it with its parents, for the owner alone, and accepts it again', () => {
  const path = join(parent, 'a', 'b')
  makePrivateDirectory(path)
  makePrivateDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test.each([0o750, 0o701, 0o755])('makePrivateDirectory refuses mode %o and says what to do', (mode) => {
  chmodSync(parent, mode)
  expect(() => makePrivateDirectory(parent)).toThrow(
    expect.objectContaining({ next: expect.stringContaining('chmod 700') }),
  )
})

test('makePrivateDirectory refuses a path through a file', () => {
  writeFileSync(join(parent, 'file'), '')
  expect(() => makePrivateDirectory(join(parent, 'file', 'x'))).toThrow(/Cannot create the directory/)
})
