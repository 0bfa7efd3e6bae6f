import { POD_PIN } from '../../dataplane/index.ts'
import type { NamespacePin, Namespaces } from '../../platform/index.ts'
import type { Kind } from '../../reconcile/index.ts'

/** Keeps a namespace within reach for as long as anything of ours is in it: made first, removed last. */
export function pinKind(namespaces: Namespaces): Kind<NamespacePin> {
  const key = ({ id, namespace }: NamespacePin) => `${id} ${namespace}`
  return {
    name: 'pin',
    key,
    observe: async (_place, signal) => {
      const pins = (await namespaces.list(signal)).filter(({ id }) => !id.startsWith(POD_PIN)) // which are kept elsewhere
      return new Map(pins.map((pin) => [key(pin), pin]))
    },
    matches: () => true,
    async apply(pin, _actual, signal) {
      await namespaces.pin(pin, signal)
      return pin
    },
    remove: (_key, { id }, signal) => namespaces.unpin(id, signal),
  }
}
