import { mkdirSync, statSync } from 'node:fs'
import { NsmError } from '../base/index.ts'

/**
 * Creates the directory if it is missing, and checks that only its owner can enter it.
 * @throws {NsmError} `failed_precondition` when others can enter it, or when it cannot be created.
 */
export function makePrivateDirectory(path: string): void {
  const mode = withReason(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return statSync(path).mode & 0o777
  })
  if ((mode & 0o077) === 0) return
  throw new NsmError('failed_precondition', 'Cannot use the directory: others can enter it', {
    fields: { path, mode: mode.toString(8) },
    next: `chmod 700 ${path}, or choose a directory that nobody else uses`,
  })
}

function withReason<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot create the directory', {
      cause,
      fields: { path },
      next: 'create it for the user of this process, or choose another one',
    })
  }
}
