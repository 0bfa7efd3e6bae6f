import type { Change } from '../../platform/index.ts'
import type { Sighting } from '../../reconcile/index.ts'
import type { WireKinds } from './index.ts'
import { foundLink } from './link-kind.ts'

/** What the kernel tells of an object of ours, as the reconciler knows it. */
export function sightingOf(kinds: WireKinds, namespace: string, change: Change): Sighting {
  const [kind, key, actual] = objectOf(kinds, namespace, change)
  return { kind, key, actual: change.isGone ? undefined : actual }
}

function objectOf(kinds: WireKinds, namespace: string, change: Change) {
  switch (change.of) {
    case 'link':
      return [kinds.link, ...foundLink(namespace, change.spec)] as const
    case 'address':
      return [kinds.address, kinds.address.key(change.spec), change.spec] as const
    case 'route':
      return [kinds.route, kinds.route.key(change.spec), change.spec] as const
    case 'rule':
      return [kinds.rule, kinds.rule.key(change.spec), change.spec] as const
  }
}
