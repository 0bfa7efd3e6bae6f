/** Small text files that the configuration refers to, such as tokens and policies. */
import { readFileSync, statSync } from 'node:fs'
import { NsmError } from '../base/index.ts'

const MAX_BYTES = 256 * 1024

/** Without white space around it. @throws {NsmError} as {@link readWholeFile} */
export function readTextFile(path: string): string {
  return readWholeFile(path).trim()
}

/** With every line where it is. @throws {NsmError} `not_found` or `invalid_argument` with the path of the file */
export function readWholeFile(path: string): string {
  try {
    if (statSync(path).size <= MAX_BYTES) return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new NsmError('not_found', 'Cannot read the file', { cause, fields: { path } })
  }
  throw new NsmError('invalid_argument', 'Cannot read the file: it is too large', {
    fields: { path, maxBytes: MAX_BYTES },
  })
}
