import type { Dataplane, WireSpec } from '../../dataplane/index.ts'
import type { Kind } from '../../reconcile/index.ts'

/** Joins the two ports of a remote wire: made last, so that packets find everything in place. */
export function wireKind(dataplane: Dataplane): Kind<WireSpec> {
  return {
    name: 'wire',
    key: ({ id }) => id,
    observe: (_place, signal) => dataplane.wires(signal),
    matches: (spec, actual) => [...spec.ports].sort().join(' ') === [...actual.ports].sort().join(' '),
    async apply(spec, _actual, signal) {
      await dataplane.setWire(spec, signal)
      return spec
    },
    remove: (id, _actual, signal) => dataplane.removeWire(id, signal),
  }
}
