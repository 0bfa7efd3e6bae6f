/** The error numbers of Linux that rtnetlink and the holder return: their names and our error codes. */
import { constants } from 'node:os'
import type { ErrorCode } from '../base/index.ts'

export const errno = constants.errno

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') // aliases of EAGAIN and EOPNOTSUPP
    .map(([name, number]) => [number, name]),
)

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  ...codes('not_found', [errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.ENXIO]),
  ...codes('already_exists', [errno.EEXIST]),
  ...codes('permission_denied', [errno.EPERM, errno.EACCES]),
  ...codes('invalid_argument', [errno.EINVAL, errno.ERANGE, errno.ENAMETOOLONG, errno.EMSGSIZE, errno.EAFNOSUPPORT]),
  ...codes('failed_precondition', [errno.EBUSY, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH]),
  ...codes('failed_precondition', [errno.EADDRNOTAVAIL, errno.EADDRINUSE]),
  ...codes('resource_exhausted', [errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC, errno.EMFILE, errno.ENFILE]),
  ...codes('unavailable', [
    errno.EAGAIN,
    errno.EINTR,
    errno.ETIMEDOUT,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EPIPE,
  ]),
  ...codes('unimplemented', [errno.EOPNOTSUPP]),
])

export function errnoName(number: number): string {
  return NAMES.get(number) ?? `errno ${number}`
}

export function errnoCode(number: number): ErrorCode {
  return CODES.get(number) ?? 'internal'
}

/** Whether a removal failed because the object, or its link, does not exist. */
export function isGone(number: number): boolean {
  return number === errno.EADDRNOTAVAIL || errnoCode(number) === 'not_found'
}

function codes(code: ErrorCode, numbers: readonly number[]): readonly (readonly [number, ErrorCode])[] {
  return numbers.map((number) => [number, code])
}
