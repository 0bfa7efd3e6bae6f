/**
 * Writes tar archives (POSIX.1-1988, ustar) that are the same whenever and wherever they are written: everything belongs
 * to root, and nothing has a time.
 */
export type TarEntry =
  | { readonly path: string; readonly at: 'folder'; readonly mode?: number }
  | { readonly path: string; readonly at: 'file'; readonly content: Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly at: 'link'; readonly target: string }

const BLOCK_BYTES = 512
const NAME_BYTES = 100
const CHECKSUM = { offset: 148, bytes: 8 }
const TYPES = { file: '0', link: '2', folder: '5' } as const

/** @param entries in the order of the archive; paths without a slash at their beginning, folders before what is in them */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap((entry) => {
    const content = entry.at === 'file' ? entry.content : new Uint8Array()
    return [header(entry, content.length), content, new Uint8Array(-content.length & (BLOCK_BYTES - 1))]
  })
  return Buffer.concat([...blocks, new Uint8Array(2 * BLOCK_BYTES)])
}

/** The entries with the folders that lead to them, sorted by their paths. */
export function withFolders(entries: readonly TarEntry[]): readonly TarEntry[] {
  const byPath = new Map<string, TarEntry>()
  for (const { path } of entries) {
    const names = path.split('/').slice(0, -1)
    for (const [index] of names.entries()) {
      const folder = names.slice(0, index + 1).join('/')
      byPath.set(folder, { path: folder, at: 'folder' })
    }
  }
  for (const entry of entries) byPath.set(entry.path, entry)
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function header(entry: TarEntry, length: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES)
  const { name, prefix } = splitPath(entry.at === 'folder' ? `${entry.path}/` : entry.path)
  const mode = entry.at === 'link' ? 0o777 : (entry.mode ?? (entry.at === 'folder' ? 0o755 : 0o644))
  block.write(name, 0)
  block.write(octal(mode, 8), 100)
  block.write(octal(0, 8), 108) // user
  block.write(octal(0, 8), 116) // group
  block.write(octal(length, 12), 124)
  block.write(octal(0, 12), 136) // time
  block.fill(' ', CHECKSUM.offset, CHECKSUM.offset + CHECKSUM.bytes)
  block.write(TYPES[entry.at], 156)
  if (entry.at === 'link') block.write(fitting(entry.target), 157)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(octal(sum, 7), CHECKSUM.offset)
  return block
}

/** A long path is split at a slash, which itself is left out. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: '' }
  const slash = path.indexOf('/', path.length - NAME_BYTES - 1)
  return { name: fitting(path.slice(slash + 1)), prefix: path.slice(0, slash) }
}

function fitting(path: string): string {
  if (Buffer.byteLength(path) > NAME_BYTES) throw new Error(`this path is too long for an archive: ${path}`)
  return path
}

/** Ends with a zero byte, which is one of `bytes`. */
function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`
}
