/** What both implementations of the doors demand of links. */
import { NsmError } from '../base/index.ts'
import { checkInterfaceName, MAX_MTU_BYTES } from '../net/index.ts'
import type { LinkSpec } from './doors.ts'

/** The first bytes of the ifalias of every link that is ours; the owner follows. */
export const ALIAS_PREFIX = 'nsm:'
/** IFALIASZ of Linux without its terminating zero. */
const MAX_ALIAS_BYTES = 255
/** The least that an IPv4 host must take in one piece, RFC 791; the kernel switches IPv4 off below. */
const MIN_MTU_BYTES = 68

export function isOurAlias(alias: string): boolean {
  return alias.startsWith(ALIAS_PREFIX)
}

/** A link without an alias may be marked, one that carries somebody's may not. */
export function isSameOwner(actual: string, wanted: string): boolean {
  return actual === '' || actual === wanted
}

/** @throws {NsmError} `invalid_argument` */
export function checkLinkSpec({ name, alias, mtuBytes }: LinkSpec): void {
  checkInterfaceName(name)
  if (!isOurAlias(alias) || new TextEncoder().encode(alias).length > MAX_ALIAS_BYTES) {
    throw new NsmError('invalid_argument', 'Cannot mark the link: its alias is not nsm:<owner> of at most 255 bytes', {
      fields: { link: name, alias: alias.slice(0, 64) },
    })
  }
  if (!Number.isInteger(mtuBytes) || mtuBytes < MIN_MTU_BYTES || mtuBytes > MAX_MTU_BYTES) {
    throw new NsmError('invalid_argument', 'Cannot size the link: its MTU is not 68 to 65535 bytes', {
      fields: { link: name, mtuBytes },
    })
  }
}
