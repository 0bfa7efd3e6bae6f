import { randomBytes } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

const SECRET_BYTES = 32

export interface LocalSecret {
  readonly secret: Uint8Array
  /** Whether it was made now: nothing that it protects can be older. */
  readonly isNew: boolean
}

/** A secret that a program keeps in a file, where it has no key of its own. */
export async function openLocalSecret(path: string): Promise<LocalSecret> {
  const kept = await readSecretFile(path)
  if (kept === undefined) {
    const secret = randomBytes(SECRET_BYTES)
    await writeSecretFile(path, `${secret.toString('base64url')}\n`)
    return { secret, isNew: true }
  }
  const secret = Buffer.from(kept.trim(), 'base64url')
  if (secret.length === SECRET_BYTES) return { secret, isNew: false }
  throw new NsmError('failed_precondition', 'Cannot read the secret: its file is damaged', { fields: { path } })
}
