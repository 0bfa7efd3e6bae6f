import { randomBytes } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import type { SecretPlace } from './secret-file.ts'

const SECRET_BYTES = 32

export interface LocalSecret {
  readonly secret: Uint8Array
  /** Whether it was made now: nothing that it protects can be older. */
  readonly isNew: boolean
}

/** A secret of a program that has no key of its own. @throws {NsmError} `failed_precondition` when it is damaged */
export async function openLocalSecret(place: SecretPlace): Promise<LocalSecret> {
  const { text, isNew } = await place.open(async () => `${randomBytes(SECRET_BYTES).toString('base64url')}\n`)
  const secret = Buffer.from(text.trim(), 'base64url')
  if (secret.length === SECRET_BYTES) return { secret, isNew }
  throw new NsmError('failed_precondition', 'Cannot read the secret: it is damaged', { fields: { place: place.name } })
}
