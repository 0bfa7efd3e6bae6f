import type { AeadName } from '../mechanism/index.ts'
import { list } from './parsers.ts'
import type { Parser } from './table.ts'

/** The usual names of AEADs, and the names that nodes use in mechanism parameters. */
const NAMES = { 'aes-256-gcm': 'aes256gcm', 'chacha20-poly1305': 'chacha20poly1305' } as const satisfies Record<
  string,
  AeadName
>

/** The AEADs that a node may use, best first. The one that WireGuard prescribes must be among them. */
export const aeads: Parser<readonly AeadName[]> = (value) => {
  const given = list(aead)(value)
  if (new Set(given).size < given.length) throw new Error('must name no AEAD twice')
  if (given.includes('chacha20poly1305')) return given
  throw new Error('must contain chacha20-poly1305, the only AEAD of peers that do not run nsmesh')
}

const aead: Parser<AeadName> = (value) => {
  if (value === 'aes-256-gcm' || value === 'chacha20-poly1305') return NAMES[value]
  throw new Error(`must be one of ${Object.keys(NAMES).join(', ')}`)
}
