import type { Identity, IdentitySource } from './svid.ts'

export interface StaticSource extends IdentitySource {
  replace(identity: Identity): void
}

/** An identity source whose identity changes only by `replace`. */
export function staticSource(initial: Identity): StaticSource {
  let identity = initial
  const listeners = new Set<(identity: Identity) => void>()
  return {
    current: () => identity,
    replace(next) {
      identity = next
      for (const listener of listeners) listener(next)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => listeners.clear(),
  }
}
