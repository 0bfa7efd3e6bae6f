import { statSync } from 'node:fs'

/** The network namespace of this process, `inode://<dev>/<ino>`. */
export function ownNamespace(): string {
  const { dev, ino } = statSync('/proc/self/ns/net', { bigint: true })
  return `inode://${dev}/${ino}`
}
