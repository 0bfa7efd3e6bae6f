import { Listeners } from '../base/index.ts'
import type { Identity, IdentitySource } from './svid.ts'

export interface StaticSource extends IdentitySource {
  replace(identity: Identity): void
}

/** An identity source whose identity changes only by `replace`. */
export function staticSource(initial: Identity): StaticSource {
  let identity = initial
  const listeners = new Listeners<[identity: Identity]>()
  return {
    current: () => identity,
    replace(next) {
      identity = next
      listeners.tell(next)
    },
    subscribe(listener) {
      return listeners.add(listener)
    },
    close: async () => listeners.clear(),
  }
}
