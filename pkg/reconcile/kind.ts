/**
 * One kind of object of the outside world: a link, an address, a port of the dataplane. `Spec` is what a connection
 * wants, `Actual` what is there. Everything is idempotent: a crash may fall between any two lines.
 */
export interface Kind<Spec, Actual = Spec> {
  readonly name: string
  key(spec: Spec): string
  /** All objects of this kind that carry our mark, also those of earlier runs. */
  observe(signal: AbortSignal): Promise<ReadonlyMap<string, Actual>>
  matches(spec: Spec, actual: Actual): boolean
  apply(spec: Spec, actual: Actual | undefined, signal: AbortSignal): Promise<void>
  /** Already gone is success. */
  remove(key: string, actual: Actual, signal: AbortSignal): Promise<void>
}
