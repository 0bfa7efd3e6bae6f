import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import type { TrustStore } from '../store/trust-store.ts'
import { type Death, TestWorld, UnreliableStore } from '../testing/index.ts'
import { introduceSelf } from './introduce-self.ts'
import { TrustRecords } from './trust-records.ts'

const addresses = ['east.test:5002']

let world: TestWorld
let store: TrustStore
beforeEach(() => {
  world = new TestWorld()
  store = world.emptyStore()
})
afterEach(() => world.scope.close())

interface Start {
  readonly addresses?: readonly string[]
  readonly nowMs?: number
  readonly from?: TrustStore
}

/** A registry starts. */
async function start({ addresses: at = addresses, nowMs = 1_000, from = store }: Start = {}) {
  const clock = new FakeClock(nowMs)
  const records = await TrustRecords.open({ store: from, clock, logger: silentLogger })
  try {
    return await introduceSelf({ records, domain: 'east', authorities: [new Uint8Array(3)], addresses: at, clock })
  } finally {
    await records.close()
  }
}

test('introduceSelf keeps the revision while nothing changes', async () => {
  expect(await start({ nowMs: 1_000 })).toMatchObject({ domain: 'east', addresses, revision: 1_000 })
  expect((await start({ nowMs: 2_000 })).revision).toBe(1_000)
})

test.each([
  ['at a later time', 2_000, 2_000],
  ['at an earlier time', 500, 1_001],
])('introduceSelf has a greater revision for new addresses %s', async (_, nowMs, revision) => {
  await start({ nowMs: 1_000 })
  expect((await start({ addresses: ['new.test:5002'], nowMs })).revision).toBe(revision)
})

test('introduceSelf has a greater revision after all records are lost', async () => {
  await start({ nowMs: 1_000 })
  expect((await start({ nowMs: 2_000, from: world.emptyStore() })).revision).toBe(2_000)
})

test('introduceSelf gives replicas that start together one revision', async () => {
  const starts = await Promise.all([1_000, 1_001, 1_002].map((nowMs) => start({ nowMs })))
  expect(new Set(starts.map(({ revision }) => revision)).size).toBe(1)
})

test.each<Death['when']>(['before', 'after'])(
  'introduceSelf can be repeated after a crash %s its write',
  async (when) => {
    const dying = new UnreliableStore(store)
    dying.dieAt({ write: 1, when })
    await expect(start({ from: dying })).rejects.toMatchObject({ code: 'unavailable' })
    expect((await start({ nowMs: 2_000 })).revision).toBe(when === 'before' ? 2_000 : 1_000)
    expect((await start({ nowMs: 3_000 })).revision).toBe(when === 'before' ? 2_000 : 1_000)
  },
)
