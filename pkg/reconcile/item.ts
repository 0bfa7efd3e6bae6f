import { type AnyKind, type Desired, NODE_PLACE } from './kind.ts'

/** A desired object, with the place and the key that identify it in the world. */
export interface Item extends Desired {
  readonly place: string
  readonly key: string
  /** Unique in its place. */
  readonly id: string
}

export function toItem({ kind, spec }: Desired): Item {
  const key = kind.key(spec)
  return { kind, spec, key, place: kind.place?.(spec) ?? NODE_PLACE, id: itemId(kind, key) }
}

export function itemId(kind: AnyKind, key: string): string {
  return `${kind.name} ${key}`
}

/** Sorts by the order of creation, which is that of `kinds`. Removal uses the reverse order. */
export function inCreationOrder(items: Iterable<Item>, kinds: readonly AnyKind[]): readonly Item[] {
  return [...items].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
}

/** What can be done at once: all items of a kind, unless one of them can create another. */
export function inRanks(sorted: Iterable<Item>): readonly (readonly Item[])[] {
  return [...Map.groupBy(sorted, (item) => (item.kind.together === undefined ? item.kind : item)).values()]
}
