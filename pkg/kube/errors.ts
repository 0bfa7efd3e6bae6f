/**
 * What the API server answers when it does not do what it was asked. Callers tell the cases apart by class, and the rest
 * of the house by the code of {@link NsmError}: what may succeed later is `unavailable`.
 */
import { type ErrorCode, NsmError, toPrintable } from '../base/index.ts'

const MAX_MESSAGE_CHARS = 500

/** The body of a refusal: an object of kind Status. */
export interface Status {
  readonly code?: number
  /** For programs: NotFound, Conflict, Expired. */
  readonly reason?: string
  /** For people. */
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

export class KubeError extends NsmError {
  readonly reason: string
  /** In the server's own words. */
  readonly serverMessage: string
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number

  constructor(code: ErrorCode, message: string, { status, call }: Refusal) {
    const { reason = '', message: text = '', details } = status
    const serverMessage = toPrintable(text).slice(0, MAX_MESSAGE_CHARS)
    super(code, message, { fields: { call, status: status.code, reason, says: serverMessage } })
    this.reason = reason
    this.serverMessage = serverMessage
    this.retryAfterMs = (details?.retryAfterSeconds ?? 0) * 1_000
  }
}

export interface Refusal {
  readonly status: Status
  /** Method and path. */
  readonly call: string
}

export class NotFoundError extends KubeError {}

/** An object of this name exists already. */
export class AlreadyExistsError extends KubeError {}

/** The object has changed since the caller read it, or is another one of the same name. */
export class ConflictError extends KubeError {}

/** The server does not remember the changes since the given resource version any more: list again. */
export class GoneError extends KubeError {}

/** RBAC or an admission policy does not allow the call. */
export class ForbiddenError extends KubeError {}

/** The object is not as its schema or an admission policy wants it. */
export class InvalidError extends KubeError {}

/** Undefined when the object is gone, exists already, or has changed: the call was made for another state of it. */
export async function unlessOutdated<R>(call: Promise<R>): Promise<R | undefined> {
  try {
    return await call
  } catch (error) {
    const outdated = [AlreadyExistsError, ConflictError, NotFoundError]
    if (outdated.some((type) => error instanceof type)) return undefined
    throw error
  }
}

/** The class that fits the answer. */
export function refusal(code: number, { status, call }: Refusal): KubeError {
  const refused: Refusal = { status: { ...status, code }, call }
  switch (code) {
    case 400:
    case 422:
      return new InvalidError('invalid_argument', 'Cannot write the object: the API server finds it invalid', refused)
    // It is we who are refused, and not whoever asked us. An API server that has just started does not know all roles yet.
    case 401:
      return new KubeError('unavailable', 'Cannot call the API server: it does not know the credentials', refused)
    case 403:
      return new ForbiddenError('unavailable', 'Cannot call the API server: it forbids the call', refused)
    case 404:
      return new NotFoundError('not_found', 'Cannot find the object at the API server', refused)
    case 409:
      return status.reason === 'AlreadyExists'
        ? new AlreadyExistsError('already_exists', 'Cannot create the object: it exists already', refused)
        : new ConflictError('failed_precondition', 'Cannot change the object: it has changed meanwhile', refused)
    case 410:
      return new GoneError('failed_precondition', 'Cannot resume: the API server has forgotten the changes', refused)
    case 413:
      return new KubeError('resource_exhausted', 'Cannot write the object: it is too large', refused)
    default:
      return new KubeError(
        code === 429 || code >= 500 ? 'unavailable' : 'internal',
        'Cannot finish the call: the API server failed',
        refused,
      )
  }
}
