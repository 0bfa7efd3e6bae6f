/**
 * One kind of object of the outside world: a link, an address, a port of the dataplane. `Spec` is what a connection
 * wants, `Actual` what is there. Everything is idempotent: a crash may fall between any two lines.
 */
export interface Kind<Spec, Actual = Spec> {
  readonly name: string
  key(spec: Spec): string
  /** The network namespace that holds the object. Left out by kinds of which the node has one set: pins, ports. */
  place?(spec: Spec): string
  /** All objects of this kind in that place that carry our mark, also those of earlier runs. */
  observe(place: string, signal: AbortSignal): Promise<ReadonlyMap<string, Actual>>
  matches(spec: Spec, actual: Actual): boolean
  /** Returns what is there afterwards. */
  apply(spec: Spec, actual: Actual | undefined, signal: AbortSignal): Promise<Actual>
  /** Already gone is success. */
  remove(key: string, actual: Actual, signal: AbortSignal): Promise<void>
}

/** Of whatever kind: the reconciler hands specs and actuals back only to the kind that they came from. */
export type AnyKind = Kind<unknown, unknown>

/** The place of kinds that name none. */
export const NODE_PLACE = 'node'

/** An object that should be. */
export interface Desired {
  readonly kind: AnyKind
  readonly spec: unknown
}

export function want<Spec, Actual>(kind: Kind<Spec, Actual>, spec: Spec): Desired {
  return { kind, spec }
}
