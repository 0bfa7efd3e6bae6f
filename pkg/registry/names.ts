/**
 * Names as the registry takes them. `name@domain` means "of that domain": split at the first `@`, as NSM does.
 * Canonical by being strict: one spelling per name, nothing that a log, a path or a DNS zone would read differently.
 */
import { NsmError } from '../base/index.ts'

export const LONGEST_NAME = 253

const NAME = /^[A-Za-z0-9._-]+$/
const DOMAIN = /^[a-z0-9._-]+$/

export interface SplitName {
  readonly name: string
  /** Undefined where the name says none. */
  readonly domain: string | undefined
}

export function splitName(full: string): SplitName {
  const at = full.indexOf('@')
  return at < 0 ? { name: full, domain: undefined } : { name: full.slice(0, at), domain: full.slice(at + 1) }
}

export function joinName(name: string, domain: string): string {
  return `${name}@${domain}`
}

export function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && NAME.test(name)
}

/** @throws {NsmError} `invalid_argument` naming `field`, the rule, and as much of the name as a line can hold. */
export function checkName(field: string, name: string): void {
  if (isName(name)) return
  throw new NsmError('invalid_argument', 'Cannot take a name: it is not 1 to 253 letters, digits, ".", "_" or "-"', {
    fields: { field, name: name.slice(0, 64), length: name.length },
    next: 'Choose a shorter name of these characters.',
  })
}

/** @throws {NsmError} `invalid_argument` when `domain` cannot be a trust domain. */
export function checkDomain(domain: string): void {
  if (domain.length <= LONGEST_NAME && DOMAIN.test(domain)) return
  throw new NsmError(
    'invalid_argument',
    'Cannot ask a domain: its name is not lower-case letters, digits, ".", "_" or "-"',
    {
      fields: { domain: domain.slice(0, 64), length: domain.length },
      next: 'Write the service as <name>@<domain>; nsmctl domain list shows the domains that joined.',
    },
  )
}
