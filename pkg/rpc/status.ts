/** Converts between NsmErrors and gRPC statuses. */
import { type ServiceError, status } from '@grpc/grpc-js'
import { describeError, type ErrorCode, errorCode, NsmError, nextStep } from '../base/index.ts'
import { notAccepted, type Party } from './transport-failure.ts'

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

/** Separates error and hint in the details of a status. Users of other programs can read this form, too. */
const NEXT = ' Next: '

/** The size of headers is limited, and a chain of causes across daemons can be long. */
const MAX_DETAIL_CHARS = 2048

export interface Status {
  readonly code: status
  readonly details: string
}

/** The status for the caller. The details of unexpected errors stay in our log. */
export function toStatus(error: unknown): Status {
  const code = errorCode(error)
  if (code === 'internal' && !(error instanceof NsmError)) {
    return { code: status.INTERNAL, details: 'Cannot handle the call: internal error' }
  }
  const next = nextStep(error)
  const advice = next === undefined ? '' : `${NEXT}${next}`
  // grpc-js throws for half a surrogate pair, outside of any call.
  const details = `${describeError(error)}${advice}`.slice(0, MAX_DETAIL_CHARS).toWellFormed()
  return { code: statusOf[code], details }
}

/** The error of a failed call, as the peer has answered. */
export function fromServiceError(error: ServiceError, method: string, party: Party): NsmError {
  const [said = '', next] = error.details.split(NEXT, 2)
  const message = notAccepted({ ...error, details: said }, party) ?? said
  return new NsmError(codeOf.get(error.code) ?? 'internal', message || 'Cannot call the peer: it gave no reason', {
    fields: { method },
    ...(next === undefined ? {} : { next }),
  })
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && typeof error.details === 'string'
}
