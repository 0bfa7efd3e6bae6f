/**
 * The one error class that crosses folders. The code decides what happens (only `unavailable` is retried),
 * the message is constant ("Cannot <verb> <thing>: <state>"), values travel in `fields`.
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
  /** What a person should do or run next. */
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

/** The code of any thrown value: its own, or what an abort or a timeout means, or `internal`. */
export function errorCode(error: unknown): ErrorCode {
  if (error instanceof NsmError) return error.code
  if (error instanceof Error && error.name === 'TimeoutError') return 'deadline_exceeded'
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled'
  return 'internal'
}

/** Whether nobody answered, which time may mend; everything else is an answer. */
export function isAway(error: unknown): boolean {
  return ['unavailable', 'deadline_exceeded'].includes(errorCode(error))
}

/** One line for people and logs: the message, its fields, and what caused it, outermost first. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const fields = error instanceof NsmError ? describeFields(error.fields) : ''
  const because = causesOf(error).map(describeError).join('; ')
  const what = `${error.message}${fields}`
  return because === '' ? what : what === '' ? because : `${what}: ${because}`
}

/** What a person should do next: as the error says, or else what first caused it. */
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
