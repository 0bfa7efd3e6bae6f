/** One attempt to settle an owner: removes what it no longer desires, then creates what is missing. */
import { NsmError } from '../base/index.ts'
import { type Item, inCreationOrder, inRanks } from './item.ts'
import type { AnyKind } from './kind.ts'
import { all } from './limited.ts'
import type { Owner } from './owner.ts'
import type { World } from './world.ts'

interface Parts {
  readonly world: World
  readonly kinds: readonly AnyKind[]
}

/** @throws {NsmError} the first failure; `already_exists` for an object that another owner has */
export async function settleOwner({ world, kinds }: Parts, owner: Owner, signal: AbortSignal): Promise<void> {
  const leaving = inRanks(inCreationOrder(owner.leaving.values(), kinds))
  let hasRemoved = false
  for (const items of [...leaving].reverse()) {
    const removals = await all([...items].reverse(), (item) => clear(world, [owner, item], signal))
    hasRemoved ||= removals.includes(true)
  }
  // A removal can implicitly remove other objects, as a link does its routes: observe again before creating any.
  if (hasRemoved) doubtPlaces(world, owner)
  await ensure(world, owner, signal)
}

/** Returns whether the object belongs to the owner now: the first owner that desires it gets it. */
export function claim(world: World, owner: Owner, { place, id }: Item): boolean {
  const { claims } = world.place(place)
  if (!claims.has(id)) claims.set(id, owner.id)
  return claims.get(id) === owner.id
}

export function doubtPlaces(world: World, owner: Owner): void {
  for (const place of owner.places()) world.place(place).doubt()
}

async function clear(world: World, [owner, item]: readonly [Owner, Item], signal: AbortSignal): Promise<boolean> {
  const { claims } = world.place(item.place)
  const isOurs = claims.get(item.id) === owner.id
  const hasRemoved = isOurs && (await world.clear(item, signal))
  if (isOurs) claims.delete(item.id)
  owner.left(item)
  return hasRemoved
}

/** A change can implicitly remove the objects that depend on it: observe again before continuing with those. */
async function ensure(world: World, owner: Owner, signal: AbortSignal): Promise<void> {
  const ranks = inRanks(owner.desired.values())
  for (const [index, items] of ranks.entries()) {
    for (const item of items) if (!claim(world, owner, item)) throw taken(world, item)
    const isDependedOn = ranks.slice(index + 1).some((later) => later.some((item) => world.has(item)))
    const changes = await all(items, (item) => world.ensure(item, signal))
    if (isDependedOn && changes.includes(true)) doubtPlaces(world, owner)
  }
}

function taken(world: World, { kind, key, place, id }: Item): NsmError {
  return new NsmError('already_exists', 'Cannot create an object of the wire: it belongs to another connection', {
    fields: { place, kind: kind.name, key, connection: world.place(place).claims.get(id) },
    next: 'close that connection, or ask for another interface name, address or route',
  })
}
