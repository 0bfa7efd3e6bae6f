import { NsmError, toPrintable } from '../../base/index.ts'

/** As upstream calls it. */
export const WIRES = 'networkservicemesh.io'
export const SERVE = 'networkservicemesh.io/serve'

export type Annotation = typeof WIRES | typeof SERVE

/** Longer than anything that makes sense, and shorter than what costs a node something to read. */
export const MAX_ANNOTATION_CHARS = 4096
const MAX_SHOWN_CHARS = 128

export interface Refusal {
  /** The part of the annotation that is wrong. */
  readonly part?: string
  readonly next: string
  readonly cause?: unknown
}

/** The error of an annotation, in one form: which one, why, the part of it that is wrong, and what to do. */
export function refused(annotation: Annotation, why: string, { part, ...rest }: Refusal): NsmError {
  const fields = part === undefined ? {} : { part: toPrintable(part.slice(0, MAX_SHOWN_CHARS)) }
  return new NsmError('invalid_argument', `Cannot use the annotation ${annotation}: ${why}`, { ...rest, fields })
}

/** @throws {NsmError} `invalid_argument` */
export function checkLength(annotation: Annotation, text: string): void {
  if (text.length <= MAX_ANNOTATION_CHARS) return
  const next = 'write at most 16 wires, and labels that are short'
  throw refused(annotation, `it is longer than ${MAX_ANNOTATION_CHARS} characters`, { next })
}
