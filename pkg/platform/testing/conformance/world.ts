/** What the suite requires of a world, and what its parts share. */
import { expect } from 'vitest'
import type { NsmError } from '../../../base/index.ts'
import type { LinkSpec, Platform } from '../../doors.ts'

export interface World {
  readonly platform: Platform
  readonly namespaces: readonly [string, string]
  /** Creates a link that is not ours. */
  addBystander(namespace: string, name: string): Promise<void>
  /** Sets a link up that is not ours, with an address and a default route. */
  connect(namespace: string, name: string, by: { readonly address: string; readonly gateway: string }): Promise<void>
  /** Gives a link of ours an address, as its workload may. */
  assign(namespace: string, name: string, address: string): Promise<void>
  removeBystander(namespace: string, name: string): Promise<void>
  setDown(namespace: string, name: string): Promise<void>
  /** The names of all links except `lo`, ours or not. */
  linkNames(namespace: string): Promise<readonly string[]>
  /** Calls `check` until it does not throw. */
  eventually(check: () => void): Promise<void>
  close(): Promise<void>
}

export const signal = AbortSignal.timeout(120_000)

export function pair({ namespaces }: World, owner = 'one'): readonly [LinkSpec, LinkSpec] {
  return [
    { namespace: namespaces[0], name: 'nsm-1', alias: `nsm:${owner}`, mtuBytes: 1420 },
    { namespace: namespaces[1], name: 'files-9', alias: `nsm:${owner}`, mtuBytes: 1400 },
  ]
}

/** Creates a pair, runs `check` and removes the pair. */
export async function withPair(world: World, check: (near: LinkSpec, far: LinkSpec) => Promise<void>): Promise<void> {
  const [near, far] = pair(world)
  await world.platform.links.createVeth([near, far], signal)
  try {
    await check(near, far)
  } finally {
    await world.platform.links.remove(near.namespace, near.name, signal)
  }
}

export async function withBystander(world: World, name: string, check: () => Promise<void>): Promise<void> {
  const [namespace] = world.namespaces
  await world.addBystander(namespace, name)
  try {
    await check()
  } finally {
    await world.removeBystander(namespace, name)
  }
}

export function refusal(code: NsmError['code']) {
  return expect.objectContaining({ code })
}

export function sorted<T>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}
