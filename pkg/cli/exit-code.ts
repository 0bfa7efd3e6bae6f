import { type ErrorCode, errorCode } from '../base/index.ts'

export const EXIT = { fine: 0, failed: 1, usage: 2, warnings: 3, unreachable: 4, denied: 5 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  invalid_argument: EXIT.usage,
  unavailable: EXIT.unreachable,
  deadline_exceeded: EXIT.unreachable,
  permission_denied: EXIT.denied,
  unauthenticated: EXIT.denied,
}

export function exitCodeOf(error: unknown): ExitCode {
  return BY_CODE[errorCode(error)] ?? EXIT.failed
}
