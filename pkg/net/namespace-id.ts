/** Identifies a network namespace by the device and inode number of its nsfs file: `inode://<dev>/<ino>`. */
import { NsmError } from '../base/index.ts'

export interface NamespaceId {
  readonly dev: bigint
  readonly ino: bigint
}

const MAX_U64 = 2n ** 64n - 1n

/** @throws {NsmError} `invalid_argument` */
export function parseNamespaceId(text: string): NamespaceId {
  const match = /^inode:\/\/(0|[1-9]\d{0,19})\/([1-9]\d{0,19})$/.exec(text)
  const [dev, ino] = [BigInt(match?.[1] ?? 0), BigInt(match?.[2] ?? 0)]
  if (match === null || dev > MAX_U64 || ino > MAX_U64) {
    throw new NsmError('invalid_argument', 'Cannot parse the network namespace: it is not inode://<dev>/<inode>', {
      fields: { namespace: text.slice(0, 64) },
    })
  }
  return { dev, ino }
}

export function formatNamespaceId({ dev, ino }: NamespaceId): string {
  return `inode://${dev}/${ino}`
}
