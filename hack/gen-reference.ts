/**
 * Writes docs/reference from what the programs are made of, or, with --check, says which of its pages no longer say
 * what the programs do.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configurationReference, readOptions } from './reference/configuration.ts'
import { connectionFieldsReference } from './reference/connection-fields.ts'
import { countersReference } from './reference/counters.ts'
import { rpcReference } from './reference/rpc.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(ROOT, 'docs/reference')
const NOTE = '<!-- Written by hack/gen-reference; do not edit. -->\n\n'

const pages: Readonly<Record<string, string>> = {
  'configuration.md': configurationReference(readOptions(ROOT)),
  'connection-fields.md': connectionFieldsReference(),
  'counters.md': countersReference(ROOT),
  'rpc.md': rpcReference(ROOT),
}

if (process.argv[2] === '--check') {
  const stale = Object.entries(pages).filter(([name, text]) => read(name) !== NOTE + text)
  for (const [name] of stale) console.error(`docs/reference/${name}: out of date; run hack/gen-reference`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(FOLDER, name), NOTE + text)
}

function read(name: string): string | undefined {
  try {
    return readFileSync(join(FOLDER, name), 'utf8')
  } catch {
    return undefined // a page that nobody has written yet is out of date
  }
}
