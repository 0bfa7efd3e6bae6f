import type { CrossConnect, Dataplane } from '../../dataplane/index.ts'
import type { Kind } from '../../reconcile/index.ts'

/** Joins the two ports of a wire. It is made last, so that packets find everything in place. */
export function crossConnectKind(dataplane: Dataplane): Kind<CrossConnect> {
  return {
    name: 'cross-connect',
    key: ({ id }) => id,
    observe: (_place, signal) => dataplane.crossConnects(signal),
    matches: (spec, actual) => [...spec.ports].sort().join(' ') === [...actual.ports].sort().join(' '),
    async apply(spec, _actual, signal) {
      await dataplane.setCrossConnect(spec, signal)
      return spec
    },
    remove: (id, _actual, signal) => dataplane.removeCrossConnect(id, signal),
  }
}
