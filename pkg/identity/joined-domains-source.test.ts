import { expect, it } from 'vitest'
import { joinedDomainsSource } from './joined-domains-source.ts'
import { staticSource } from './static-source.ts'
import type { Bundles, Identity } from './svid.ts'
import { forgeAuthority, forgeLeaf } from './testing/forge-fixture.ts'

const authority = await forgeAuthority()
const { svid } = await forgeLeaf(authority, { uris: ['spiffe://east/node/n1'] })
const bundle = (name: string) => [Buffer.from(name)]

function start(federated: Record<string, readonly Uint8Array[]>, joined: Record<string, readonly Uint8Array[]>) {
  const identity = (bundles: typeof federated): Identity => ({ svid, bundles: new Map(Object.entries(bundles)) })
  const agent = staticSource(identity(federated))
  const listeners = new Set<() => void>()
  let bundles: Bundles = new Map(Object.entries(joined))
  const source = joinedDomainsSource(agent, {
    bundles: () => bundles,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  return {
    source,
    listeners,
    federate: (next: typeof federated) => agent.replace(identity(next)),
    join(next: typeof joined) {
      bundles = new Map(Object.entries(next))
      for (const listener of listeners) listener()
    },
    trusted: () =>
      Object.fromEntries([...source.current().bundles].map(([domain, list]) => [domain, list.map(String).join()])),
  }
}

it('joinedDomainsSource trusts the agent about its own domain, and about joined ones that it federates with', () => {
  const { trusted } = start(
    { east: bundle('agent'), west: bundle('agent'), north: bundle('agent') },
    { east: bundle('registry'), west: bundle('registry'), south: bundle('registry') },
  )
  expect(trusted()).toEqual({ east: 'agent', west: 'agent', south: 'registry' })
})

it('joinedDomainsSource follows the agent and the domains that join and leave', async () => {
  const { source, federate, join, trusted, listeners } = start({ east: bundle('1'), west: bundle('1') }, {})
  let changes = 0
  source.subscribe(() => {
    changes += 1
  })
  expect(trusted()).toEqual({ east: '1' })
  join({ west: bundle('introduced') })
  expect(trusted()).toEqual({ east: '1', west: '1' })
  federate({ east: bundle('2'), west: bundle('2') })
  expect(trusted()).toEqual({ east: '2', west: '2' })
  join({})
  expect(trusted()).toEqual({ east: '2' })
  expect([changes, source.current().svid]).toEqual([3, svid])
  await source.close()
  expect(listeners.size).toBe(0)
})
