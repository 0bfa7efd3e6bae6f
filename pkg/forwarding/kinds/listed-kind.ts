import type { Kind } from '../../reconcile/index.ts'

/** The doors of addresses, routes and rules have this shape. */
interface Listed<Spec> {
  list(namespace: string, signal: AbortSignal): Promise<readonly Spec[]>
  add(spec: Spec, signal: AbortSignal): Promise<void>
  remove(spec: Spec, signal: AbortSignal): Promise<void>
}

/** Objects of a namespace that are wholly described by their key: they are there or not, never different. */
export function listedKind<Spec extends { readonly namespace: string; readonly isForeign?: true }>(
  name: string,
  door: Listed<Spec>,
  key: (spec: Spec) => string,
): Kind<Spec> {
  return {
    name,
    key,
    place: ({ namespace }) => namespace,
    observe: async (place, signal) => new Map((await door.list(place, signal)).map((spec) => [key(spec), spec])),
    matches: () => true,
    isForeign: ({ isForeign = false }) => isForeign,
    async apply(spec, _actual, signal) {
      await door.add(spec, signal)
      return spec
    },
    remove: (_key, actual, signal) => door.remove(actual, signal),
  }
}
