import { statSync } from 'node:fs'
import { formatNamespaceId } from '../net/index.ts'

/** The network namespace of this process, `inode://<dev>/<ino>`. */
export function ownNamespace(): string {
  return formatNamespaceId(statSync('/proc/self/ns/net', { bigint: true }))
}
