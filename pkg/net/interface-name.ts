import { NsmError } from '../base/index.ts'

/** IFNAMSIZ of Linux, without the terminating zero. */
export const MAX_INTERFACE_NAME_BYTES = 15

/** Why the kernel or `ip` would reject `name`; undefined when it is valid. */
function refusal(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (new TextEncoder().encode(name).length > MAX_INTERFACE_NAME_BYTES) return 'it is longer than 15 bytes'
  if (name === '.' || name === '..' || name === 'lo') return 'it is reserved'
  // The kernel rejects '/', ':' and spaces. Tools would misinterpret control characters and '%'.
  if (!/^[^\s/:%\p{Cc}]+$/u.test(name)) return 'it contains a space, a control character or one of / : %'
  return undefined
}

export function isInterfaceName(name: string): boolean {
  return refusal(name) === undefined
}

/** @returns `name` @throws {NsmError} `invalid_argument` with the reason when it is not valid */
export function checkInterfaceName(name: string): string {
  const reason = refusal(name)
  if (reason === undefined) return name
  throw new NsmError('invalid_argument', `Cannot use the interface name: ${reason}`, {
    fields: { interface: name.slice(0, 64) },
    next: 'choose 1 to 15 letters, digits, or any of . _ -',
  })
}
