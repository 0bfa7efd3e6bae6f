import { NsmError } from '../base/index.ts'

/** The dataplane answered what its protocol does not allow: both are of one release, so a person must look. */
export function malformedReply(what: string, attribute: number): NsmError {
  return new NsmError('internal', 'Cannot read what the dataplane answered: it is not of this protocol', {
    fields: { what, attribute },
    next: 'run nsmd and nsm-dataplane of the same release',
  })
}

/** @throws {NsmError} `internal` when the dataplane left it out */
export function required<T>(what: string, attribute: number, value: T | undefined): T {
  if (value === undefined) throw malformedReply(what, attribute)
  return value
}
