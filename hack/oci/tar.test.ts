import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type TarEntry, withFolders, writeTar } from './tar.ts'

const long = `${'folder/'.repeat(20)}file`

function list(entries: readonly TarEntry[]): readonly string[] {
  const listing = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--utc'], { input: writeTar(entries) })
  return listing.toString().trimEnd().split('\n')
}

describe('writeTar', () => {
  test('writes what tar reads', () => {
    const content = Buffer.from('hello')
    expect(
      list([
        { path: 'bin', at: 'folder' },
        { path: 'bin/hello', at: 'file', content, mode: 0o755 },
        { path: 'bin/hi', at: 'link', target: 'hello' },
      ]),
    ).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 bin\/$/),
      expect.stringMatching(/^-rwxr-xr-x 0\/0 +5 1970-01-01 00:00 bin\/hello$/),
      expect.stringMatching(/^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00 bin\/hi -> hello$/),
    ])
  })

  test.each([0, 1, 511, 512, 513])('keeps a content of %i bytes', (length) => {
    const content = Buffer.alloc(length, 'x')
    const archive = writeTar([{ path: 'file', at: 'file', content }])
    expect(execFileSync('tar', ['--extract', '--to-stdout', 'file'], { input: archive }).equals(content)).toBe(true)
  })

  test('keeps a path of more than 100 bytes', () => {
    expect(list([{ path: long, at: 'file', content: new Uint8Array() }])).toEqual([expect.stringContaining(long)])
  })

  test('refuses a name that does not fit', () => {
    const entry: TarEntry = { path: 'x'.repeat(101), at: 'file', content: new Uint8Array() }
    expect(() => writeTar([entry])).toThrow('too long')
  })
})

test('withFolders puts each folder before what is in it, once', () => {
  const content = new Uint8Array()
  const entries = withFolders([
    { path: 'b/c/d', at: 'file', content },
    { path: 'a', at: 'file', content },
    { path: 'b/c', at: 'folder', mode: 0o700 },
  ])
  expect(entries.map(({ path }) => path)).toEqual(['a', 'b', 'b/c', 'b/c/d'])
  expect(entries[2]).toMatchObject({ mode: 0o700 })
})
