import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A place for one secret text, such as a file of this machine. */
export interface SecretPlace {
  /** Where it is, for people. */
  readonly name: string
  /** The text that is there. Where there is none, it is made and kept first. */
  open(make: () => Promise<string>): Promise<KeptSecret>
}

export interface KeptSecret {
  readonly text: string
  /** Whether it was made now: nothing that it protects can be older. */
  readonly isNew: boolean
}

export function secretFile(path: string): SecretPlace {
  return {
    name: path,
    async open(make) {
      const kept = await readSecretFile(path)
      if (kept !== undefined) return { text: kept, isNew: false }
      const text = await make()
      await writeSecretFile(path, text)
      return { text, isNew: true }
    },
  }
}

/** The text of a file, or undefined if there is no such file. */
export async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Crash: the file contains the complete old or the complete new text. Only its owner can ever read it. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.chmod(0o600) // the file of an interrupted write may have another mode
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

export async function removeSecretFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
