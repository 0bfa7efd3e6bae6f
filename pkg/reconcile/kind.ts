/**
 * One kind of object of the outside world, such as a link, an address, or a port of the dataplane. `Spec` is the
 * desired object of a connection, `Actual` the observed one. All operations are idempotent, because a crash can happen
 * between any two lines.
 */
export interface Kind<Spec, Actual = Spec> {
  readonly name: string
  key(spec: Spec): string
  /** The network namespace of the object. Kinds whose objects belong to the whole node (pins, ports) leave it out. */
  place?(spec: Spec): string
  /** All objects of this kind in that place that carry our mark, including those of earlier runs. */
  observe(place: string, signal: AbortSignal): Promise<ReadonlyMap<string, Actual>>
  matches(spec: Spec, actual: Actual): boolean
  /** Whether somebody else has made the object: without an owner it is left alone. Absent: all are ours. */
  isForeign?(actual: Actual): boolean
  /** Creates or changes the object, and returns its new state. */
  apply(spec: Spec, actual: Actual | undefined, signal: AbortSignal): Promise<Actual>
  /** The objects that `apply` creates together with this one, such as the other end of a veth pair. */
  together?(spec: Spec): readonly Together<Spec, Actual>[]
  /** Succeeds when the object no longer exists. */
  remove(key: string, actual: Actual, signal: AbortSignal): Promise<void>
}

export interface Together<Spec, Actual> {
  readonly spec: Spec
  readonly actual: Actual
}

/** Any kind. The reconciler passes specs and actuals only to the kind that they came from. */
export type AnyKind = Kind<unknown, unknown>

/** The place of kinds that do not define one. */
export const NODE_PLACE = 'node'

/** An object that should exist. */
export interface Desired {
  readonly kind: AnyKind
  readonly spec: unknown
}

export function want<Spec, Actual>(kind: Kind<Spec, Actual>, spec: Spec): Desired {
  return { kind, spec }
}
