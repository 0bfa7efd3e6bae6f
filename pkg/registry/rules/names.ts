import { isDomainOrNodeName, isRegisteredName, NsmError } from '../../base/index.ts'

/** @throws {NsmError} `invalid_argument` with `field`, the rule, and as much of the name as fits a line. */
export function checkName(field: string, name: string): void {
  if (isRegisteredName(name)) return
  throw new NsmError('invalid_argument', 'Cannot use the name: it is not 1 to 253 letters, digits, ".", "_" or "-"', {
    fields: { field, name: name.slice(0, 64), length: name.length },
    next: 'choose a name of 1 to 253 of these characters',
  })
}

/** @throws {NsmError} `invalid_argument` when no domain can have that name. */
export function checkDomain(domain: string): void {
  if (isDomainOrNodeName(domain)) return
  throw new NsmError(
    'invalid_argument',
    'Cannot ask the domain: its name is not 1 to 63 lower-case letters, digits, ".", "_" or "-"',
    {
      fields: { domain: domain.slice(0, 64), length: domain.length },
      next: 'write the service as <name>@<domain>; nsmctl domain list shows the domains that have joined',
    },
  )
}
