/**
 * The only error class that crosses folders. The code decides how the error is handled (only `unavailable` is retried).
 * The message is constant ("Cannot <verb> the <thing>: <reason>"); values go into `fields`.
 */
export type ErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'unauthenticated'
  | 'failed_precondition'
  | 'resource_exhausted'
  | 'unavailable'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'unimplemented'
  | 'internal'

export type ErrorFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>

export interface NsmErrorOptions {
  readonly cause?: unknown
  readonly fields?: ErrorFields
  /** What the user should do next, often a command to run. */
  readonly next?: string
}

export class NsmError extends Error {
  override readonly name = 'NsmError'
  readonly code: ErrorCode
  readonly fields: ErrorFields
  readonly next: string | undefined

  constructor(code: ErrorCode, message: string, options: NsmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? {}
    this.next = options.next
  }
}

/**
 * An endless stream was ended on this side so that it is opened again over the next connection. Nothing is wrong with the
 * peer, and nothing is lost: whoever follows goes on at once.
 */
export class StreamRenewal extends NsmError {
  constructor() {
    super('unavailable', 'Cannot go on with the stream: its connection is being renewed')
  }
}

/** The code of any thrown value: that of an NsmError, the code for an abort or a timeout, or else `internal`. */
export function errorCode(error: unknown): ErrorCode {
  if (error instanceof NsmError) return error.code
  if (error instanceof Error && error.name === 'TimeoutError') return 'deadline_exceeded'
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled'
  return 'internal'
}

/** Whether the peer did not answer, so that a retry may succeed. All other errors are answers. */
export function isAway(error: unknown): boolean {
  return ['unavailable', 'deadline_exceeded'].includes(errorCode(error))
}

/** One line for users and logs: the message and fields of the error and of its causes, outermost first. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const fields = error instanceof NsmError ? describeFields(error.fields) : ''
  const because = causesOf(error).map(describeError).join('; ')
  const what = `${error.message}${fields}`
  return because === '' ? what : what === '' ? because : `${what}: ${because}`
}

/** The hint of the error on what to do next, or else the first hint among its causes. */
export function nextStep(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof NsmError && error.next !== undefined) return error.next
  return causesOf(error)
    .map(nextStep)
    .find((next) => next !== undefined)
}

function causesOf(error: Error): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors
  return error.cause === undefined ? [] : [error.cause]
}

function describeFields(fields: ErrorFields): string {
  const parts = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
