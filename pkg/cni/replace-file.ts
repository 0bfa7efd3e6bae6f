import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface Replacement {
  readonly content: Uint8Array
  readonly mode: number
  /** Tried on the finished file before it takes its place; it throws to keep it from that. */
  readonly check?: (path: string) => void
}

/**
 * Puts a file into its place in one step: whoever looks finds the former one or the whole new one. The file on the way there
 * has a name that no container runtime reads, and lies in the same folder, since runtimes miss files from others.
 */
export function replaceFile(path: string, { content, mode, check }: Replacement): void {
  const temporary = join(dirname(path), `.${basename(path)}.nsm`)
  try {
    const file = openSync(temporary, 'w', 0o600)
    try {
      writeFileSync(file, content) // all of it: a disk that is almost full takes a part
      fchmodSync(file, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    check?.(temporary)
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Undefined where there is no such file, or none that can be read. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** The names in a folder; none where there is no such folder. */
export function listIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

export function modeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0
}
