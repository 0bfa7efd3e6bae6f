import { expect, test } from 'vitest'
import { findLockHolder } from './lock.ts'

const locks = `1: POSIX  ADVISORY  WRITE 11999 fe:00:2147081 1073741824 1073742335
2: FLOCK  ADVISORY  WRITE 77 00:1a:42 0 EOF
`

test.each([
  [2147081, 11999],
  [42, 77],
  [43, undefined],
])('findLockHolder of inode %i is %s', (inode, pid) => expect(findLockHolder(locks, inode)).toBe(pid))
