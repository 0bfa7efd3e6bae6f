/** What a member may cost a node and a registry by calls alone: how many are answered, and memory for its watches. */
import { afterEach, describe, expect, it } from 'vitest'
import { healthV1 } from '../../pkg/api/index.ts'
import { errorCode, Scope, systemClock } from '../../pkg/base/index.ts'
import type { IdentitySource } from '../../pkg/identity/index.ts'
import { Channel, clientOf, endpointRegistryClient, monitorClient } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Attacker } from './attacker.ts'
import { oneVictim } from './victim-process.ts'

const MIB = 2 ** 20
const FLOOD_MS = 3_000
const LOOPS = 400
/** What the quota of a node lets through in that time: its burst, 500 calls a second, and those that wait at the end. */
const MOST_ANSWERED = 250 + 4 * 500 + LOOPS

const victim = oneVictim()
let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const doors = [
  ['a node', () => victim().url],
  ['a registry', () => victim().registryUrl],
] as const

function open(url: string, identity: IdentitySource): Channel {
  return scope.own(new Channel(url, { security: { identity }, clock: systemClock }))
}

const soon = () => ({ signal: AbortSignal.any([scope.signal, AbortSignal.timeout(10_000)]) })

function check(channel: Channel): Promise<unknown> {
  return clientOf(healthV1.HealthService, channel).check({ service: '' }, soon())
}

describe('calls of a member in a loop, 400 at a time', () => {
  it.each(doors)(
    'are answered by %s no more often than its quota says',
    async (_, url) => {
      const flood = scope.own(await Attacker.start('flood.ts', [url(), victim().otherIdentity, LOOPS]))
      const outcomes = await flood.attack(FLOOD_MS)
      expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBeLessThan(MOST_ANSWERED)
      await check(open(url(), await victim().honest()))
    },
    30_000,
  )
})

describe('10,000 watches of a member', () => {
  it.each([
    ['a node', () => victim().url, monitor],
    ['a registry', () => victim().registryUrl, watchEndpoints],
  ] as const)(
    'are refused by %s, and cost it little memory',
    async (_, url, watch) => {
      const rogue = await victim().member()
      const before = await victim().memory()
      const channels = Array.from({ length: 30 }, () => open(url(), rogue))
      const outcomes = new Map<string, number>()
      const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      const watches = Array.from({ length: 10_000 }, async (__, index) => {
        const channel = channels[index % channels.length]
        if (channel !== undefined) await watch(channel, () => count('opened')).catch((error) => count(errorCode(error)))
      })
      // A refusal takes its time.
      const isRefused = () => (outcomes.get('resource_exhausted') ?? 0) > 0
      await Promise.race([Promise.all(watches), until('a watch to be refused', isRefused, 15_000)])
      const { rssBytes } = await victim().memory()
      await check(open(url(), await victim().honest()))
      expect(outcomes.get('opened') ?? 0).toBeLessThanOrEqual(2_000)
      expect(outcomes.get('resource_exhausted') ?? 0).toBeGreaterThan(0)
      expect((rssBytes - before.rssBytes) / MIB).toBeLessThan(64)
    },
    40_000,
  )
})

async function monitor(channel: Channel, onFirst: () => void): Promise<void> {
  const everything = { pathSegments: [], networkServices: [] }
  for await (const _ of monitorClient(channel).monitor(everything, scope)) onFirst()
}

async function watchEndpoints(channel: Channel, onFirst: () => void): Promise<void> {
  let isFirst = true
  for await (const _ of endpointRegistryClient(channel).find({ endpoint: {}, watch: true }, scope)) {
    if (isFirst) onFirst()
    isFirst = false
  }
}
