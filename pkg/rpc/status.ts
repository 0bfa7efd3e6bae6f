/** NsmError codes and gRPC statuses, both ways, in one place. */
import { type ServiceError, status } from '@grpc/grpc-js'
import { describeError, type ErrorCode, errorCode, NsmError, nextStep } from '../base/index.ts'

const statusOf: Readonly<Record<ErrorCode, status>> = {
  invalid_argument: status.INVALID_ARGUMENT,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  permission_denied: status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  failed_precondition: status.FAILED_PRECONDITION,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
}

const codeOf = new Map<status, ErrorCode>([
  ...Object.entries(statusOf).map(([code, number]) => [number, code as ErrorCode] as const),
  [status.OUT_OF_RANGE, 'invalid_argument'],
  [status.ABORTED, 'unavailable'],
])

/** Parts what is wrong from what to do about it, for people who read statuses of other programs too. */
const NEXT = ' Next: '

/** Headers have a limit, and a chain of causes across daemons may be long. */
const MAX_DETAIL_CHARS = 2048

export interface Status {
  readonly code: status
  readonly details: string
}

/** What the caller is told. The details of `internal` faults stay in our log. */
export function toStatus(error: unknown): Status {
  const code = errorCode(error)
  if (code === 'internal' && !(error instanceof NsmError)) {
    return { code: status.INTERNAL, details: 'Cannot handle call: internal error' }
  }
  const next = nextStep(error)
  const advice = next === undefined ? '' : `${NEXT}${next}`
  return { code: statusOf[code], details: `${describeError(error)}${advice}`.slice(0, MAX_DETAIL_CHARS) }
}

/** A failed call as the peer, or the connection to it, reported it. */
export function fromServiceError(error: ServiceError, method: string): NsmError {
  const [message = '', next] = error.details.split(NEXT, 2)
  return new NsmError(codeOf.get(error.code) ?? 'internal', message || 'Cannot call peer: it gave no reason', {
    fields: { method },
    ...(next === undefined ? {} : { next }),
  })
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && typeof error.details === 'string'
}
