/** Which process has locked a database: for an error message only, never for a decision. */
import { readFileSync, statSync } from 'node:fs'

/** The process that has a POSIX lock on `path`, according to the kernel; undefined where that is not known. */
export function lockHolder(path: string): number | undefined {
  try {
    return findLockHolder(readFileSync('/proc/locks', 'utf8'), statSync(path).ino)
  } catch {
    return undefined // no procfs, or the file is gone: the message does not need it
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
