/**
 * Calls, and streams that have no end, of somebody who shares a connection or a quota with others: a connection carries only
 * so many, and a quota allows only so many.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { healthV1 } from '../../pkg/api/index.ts'
import { Scope, systemClock } from '../../pkg/base/index.ts'
import type { IdentitySource } from '../../pkg/identity/index.ts'
import { Channel, clientOf, endpointRegistryClient } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import { identityOf } from './identity-of.ts'

const sandbox = new Sandbox()
let west: SandboxDomain
let near: SandboxNode
let beside: SandboxNode
let scope = new Scope()

beforeAll(async () => {
  west = await sandbox.domain('west')
  const east = await sandbox.domain('east')
  near = await west.node('n1')
  beside = await west.node('n2')
  const far = await east.node('n1')
  await west.joinTo(east)
  await beside.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  await far.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
  await east.export('mail')
})
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})
afterAll(() => sandbox.close())

/** As many watches of names that nobody has; resolves when each was opened, or refused. */
async function watch(channels: readonly Channel[], count: number, name: (at: number) => string): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const channel = channels[at % channels.length]
    if (channel === undefined) return
    const query = { endpoint: { name: name(at) }, watch: true }
    const found = endpointRegistryClient(channel).find(query, { signal: scope.signal })
    void drain(found).catch(() => {})
  }
  await systemClock.sleep(1_000, scope.signal)
}

async function drain(found: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of found);
}

function open(url: string, identity: IdentitySource): Channel {
  return scope.own(new Channel(url, { security: { identity }, clock: systemClock }))
}

async function answersWithin(ms: number, run: () => Promise<unknown>): Promise<void> {
  const startMs = systemClock.monotonicMs()
  await run()
  expect(systemClock.monotonicMs() - startMs).toBeLessThan(ms)
}

test('watches of a local user leave its node a way to the registry', async () => {
  const rogue = await near.workload(1001)
  await watch([rogue.channel], 100, (at) => `none-${at}`)
  const honest = await near.workload(1000)
  await answersWithin(2_000, () => honest.request('kernel://files/nsm-1'))
}, 30_000)

test('watches of a member leave its registry a way to that of another domain', async () => {
  const rogue = await identityOf(near)
  await watch([open(west.registryUrl, rogue), open(west.registryUrl, rogue)], 150, (at) => `none-${at}@east`)
  const honest = await beside.workload()
  await answersWithin(2_000, () => honest.request('kernel://mail@east/nsm-1'))
}, 30_000)

test('calls of a workload over the network are not those of its node', async () => {
  const rogue = await near.workload(1001)
  const channels = Array.from({ length: 24 }, () => open(west.registryUrl, rogue.identity))
  const calls = channels.flatMap((channel) => Array.from({ length: 100 }, () => check(channel)))
  const answered = Promise.allSettled(calls)
  await systemClock.sleep(500, scope.signal)
  const node = open(west.registryUrl, await identityOf(near))
  // With the quota of its workload it would wait for four seconds, or be refused.
  await answersWithin(3_000, () => check(node))
  await scope.close()
  await answered
}, 30_000)

function check(channel: Channel): Promise<unknown> {
  return clientOf(healthV1.HealthService, channel).check({ service: '' }, { signal: scope.signal })
}
