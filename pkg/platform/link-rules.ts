/** Checks of links that all implementations share. */
import { NsmError } from '../base/index.ts'
import { checkInterfaceName, MAX_MTU_BYTES } from '../net/index.ts'
import type { LinkSpec } from './doors.ts'

/** The prefix of the ifalias of all our links; the id of the owner follows. */
export const ALIAS_PREFIX = 'nsm:'
/** IFALIASZ of Linux, without the terminating zero. */
const MAX_ALIAS_BYTES = 255
/** The smallest MTU of IPv4 (RFC 791 section 3.2). The kernel disables IPv4 on a link with a smaller one. */
const MIN_MTU_BYTES = 68

export function isOurAlias(alias: string): boolean {
  return alias.startsWith(ALIAS_PREFIX)
}

/** Whether the owner `wanted` may use a link with the alias `actual`: it may if the link has no alias, or its own. */
export function isSameOwner(actual: string, wanted: string): boolean {
  return actual === '' || actual === wanted
}

/** @throws {NsmError} `invalid_argument` */
export function checkLinkSpec({ name, alias, mtuBytes }: LinkSpec): void {
  checkInterfaceName(name)
  if (!isOurAlias(alias) || new TextEncoder().encode(alias).length > MAX_ALIAS_BYTES) {
    throw new NsmError(
      'invalid_argument',
      'Cannot set the alias of the link: it is not nsm:<owner> of at most 255 bytes',
      {
        fields: { link: name, alias: alias.slice(0, 64) },
      },
    )
  }
  if (!Number.isInteger(mtuBytes) || mtuBytes < MIN_MTU_BYTES || mtuBytes > MAX_MTU_BYTES) {
    throw new NsmError('invalid_argument', 'Cannot set the MTU of the link: it is not 68 to 65535 bytes', {
      fields: { link: name, mtuBytes },
    })
  }
}

/** A check that the kernel or the workload has switched on stays on. */
export function checksAsWanted(found: SourceChecks, wanted: SourceChecks): boolean {
  return (
    hasCheck(found.checksSources, wanted.checksSources) && hasCheck(found.checksIpv6Sources, wanted.checksIpv6Sources)
  )
}

type SourceChecks = Pick<LinkSpec, 'checksSources' | 'checksIpv6Sources'>

function hasCheck(found = false, wanted = false): boolean {
  return found || !wanted
}
