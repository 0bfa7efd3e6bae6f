/** What the registry of another domain can cost by saying ever more over the watches on which we follow it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Scope, silentLogger } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import {
  federationRecords,
  federationTables,
  JoinedRegistries,
  type RegistryChannel,
  sqliteTrustStore,
  Trust,
  TrustRecords,
} from '../../pkg/federation/index.ts'
import { withoutPolicy } from '../../pkg/policy/index.ts'
import { viewOf } from '../../pkg/registry/find/caller-view.ts'
import { OtherDomains, type OtherRegistry } from '../../pkg/registry/index.ts'
import { callOf, endpoint, FakeExports } from '../../pkg/registry/testing/index.ts'
import { openDatabase } from '../../pkg/store/index.ts'
import { RogueDomain } from './rogue-domain.ts'

const FLOOD = 5_000
let scope: Scope
beforeEach(() => {
  scope = new Scope()
})
afterEach(() => scope.close())

/** Until all that needs no time has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('a domain that introduces itself anew in a loop costs a write a second', async () => {
  const clock = new FakeClock()
  const options = { application: 'test', migrations: [federationTables, federationRecords] }
  const store = sqliteTrustStore(scope.own(openDatabase(':memory:', options)))
  const records = scope.own(await TrustRecords.open({ store, clock, logger: silentLogger }))
  const mallory = await RogueDomain.create('mallory')
  const introduction = {
    domain: 'mallory',
    addresses: ['192.0.2.66:1'],
    authorities: [mallory.certificate],
    revoked: [],
  }
  await records.change('domain', 'mallory', () => ({
    kind: 'domain',
    name: 'mallory',
    joinedMs: 0,
    exports: [],
    introduction: { ...introduction, revision: 0 },
  }))
  const own = { domain: 'west', authorities: [], addresses: ['192.0.2.1:1'], reach: () => true }
  const trust = scope.own(await Trust.open({ records, ...own, clock }))
  let heard = 0
  async function* watchBundle() {
    while (heard < FLOOD) {
      heard += 1
      yield mallory.introduction({ revision: BigInt(heard), addresses: ['192.0.2.66:1'] })
    }
    await new Promise(() => {})
  }
  const channel: unknown = { federation: { watchBundle }, close() {} }
  const channels = { member: () => channel as RegistryChannel, pinned: () => channel as RegistryChannel }
  let changes = 0
  trust.subscribe(() => {
    changes += 1
  })
  scope.own(new JoinedRegistries({ trust, channels, clock, logger: silentLogger }))
  await settle()
  expect(changes).toBeLessThanOrEqual(10)
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1_000)
    await settle()
  }
  expect(changes).toBeGreaterThan(10)
  expect(changes).toBeLessThanOrEqual(70)
})

test('a domain that changes an endpoint in a loop costs what 500 changes a second cost', async () => {
  const clock = new FakeClock()
  let heard = 0
  async function* find({ watch }: { readonly watch: boolean }) {
    while (watch && heard < FLOOD) {
      heard += 1
      const value = endpoint('nse-mail', { networkServiceNames: ['mail'], registeredMs: heard })
      yield { value: { ...value, url: 'tcp://192.0.2.66:5001' }, deleted: false }
    }
    if (watch) await new Promise(() => {})
  }
  const registry: unknown = { endpoints: { find }, services: { find } }
  const others = new OtherDomains({ registryOf: () => registry as OtherRegistry, clock, logger: silentLogger })
  scope.defer(() => others.close())
  const view = viewOf(callOf('spiffe://west/node/n1'), {
    domain: 'west',
    exports: new FakeExports(),
    policy: withoutPolicy,
  })
  const stop = new AbortController()
  scope.defer(() => stop.abort())
  const query = { networkServiceNames: ['mail'] }
  const search = { domain: 'mallory', query, watch: true, view, signal: stop.signal }
  let told = 0
  const watching = async () => {
    for await (const _ of others.findEndpoints({ ...search, caller: 'n1' })) told += 1
  }
  watching().catch(() => {})
  await settle()
  expect(told).toBeGreaterThan(100)
  expect(told).toBeLessThanOrEqual(500)
  await clock.advance(1_000)
  await settle()
  expect(told).toBeLessThanOrEqual(1_000)
})
