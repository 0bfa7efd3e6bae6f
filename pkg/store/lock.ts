/** Who holds a database that is locked: for the error message only, never for a decision. */
import { readFileSync, statSync } from 'node:fs'

/** The process with a POSIX lock on `path` as the kernel lists it; undefined where that cannot be told. */
export function lockHolder(path: string): number | undefined {
  try {
    return findLockHolder(readFileSync('/proc/locks', 'utf8'), statSync(path).ino)
  } catch {
    return undefined // no procfs, or the file is gone: the message does without
  }
}

/** Lines look like `1: POSIX  ADVISORY  WRITE 11999 fe:00:2147081 1073741824 1073742335`. */
export function findLockHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, , , , pid, file] = line.split(/\s+/)
    if (file?.split(':')[2] === String(inode)) return Number(pid)
  }
  return undefined
}
