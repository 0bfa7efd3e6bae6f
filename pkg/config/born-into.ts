/** What a process is born into and does not choose, read at its start. */
import { statSync } from 'node:fs'

/** The network namespace of this process, `inode://<dev>/<ino>`. */
export function ownNamespace(): string {
  const { dev, ino } = statSync('/proc/self/ns/net', { bigint: true })
  return `inode://${dev}/${ino}`
}
