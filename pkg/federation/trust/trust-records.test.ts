import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError, silentLogger } from '../../base/index.ts'
import type { NodeRecord, TrustRecord } from '../store/trust-record.ts'
import type { TrustStore } from '../store/trust-store.ts'
import { TestWorld, UnreliableStore } from '../testing/index.ts'
import { TrustRecords } from './trust-records.ts'

let world: TestWorld
let other: TrustStore
let store: UnreliableStore
let records: TrustRecords

beforeEach(async () => {
  world = new TestWorld()
  other = world.emptyStore()
  store = new UnreliableStore(other)
  records = await TrustRecords.open({ store, clock: world.clock, logger: silentLogger })
})

afterEach(async () => {
  await records.close()
  await world.scope.close()
  expect(world.clock.pending).toBe(0)
})

const node = (name: string, renewedMs = 0): NodeRecord => {
  return { kind: 'node', name, joinedMs: 0, renewedMs, revokedMs: undefined, url: '' }
}

const names = () => records.all('node').map(({ name }) => name)

describe('TrustRecords', () => {
  test('resolves a change when the copy has it', async () => {
    await records.change('node', 'n1', () => node('n1'))
    expect(records.get('node', 'n1')).toEqual(node('n1'))
    await records.change('node', 'n1', () => undefined)
    expect(records.get('node', 'n1')).toBeUndefined()
  })

  test('decides again when another writer was faster', async () => {
    const first = await other.put(node('n1', 1), 0)
    const decided: (number | undefined)[] = []
    await records.change('node', 'n1', (stored) => {
      decided.push(stored?.renewedMs)
      if (decided.length === 1) void other.put(node('n1', 2), first ?? 0)
      return node('n1', (stored?.renewedMs ?? 0) + 10)
    })
    expect(decided).toEqual([1, 2])
    expect(records.get('node', 'n1')?.renewedMs).toBe(12)
  })

  test('leaves a record as it is when the decision throws, or changes nothing', async () => {
    await records.change('node', 'n1', () => node('n1'))
    const { revision } = records
    const refuse = () => {
      throw new NsmError('not_found', 'Cannot do that')
    }
    await expect(records.change('node', 'n1', refuse)).rejects.toMatchObject({ code: 'not_found' })
    await records.change('node', 'n1', (stored) => stored)
    await records.change('node', 'nobody', (stored) => stored)
    expect([records.revision, (await other.list()).revision]).toEqual([revision, revision])
  })

  test('loses none of many concurrent changes, here and at another replica', async () => {
    const replica = await TrustRecords.open({ store: other, clock: world.clock, logger: silentLogger })
    await records.change('node', 'n1', () => node('n1'))
    const increment = (stored: NodeRecord | undefined) => node('n1', (stored?.renewedMs ?? 0) + 1)
    const changes = Array.from({ length: 100 }, (_, index) => {
      return (index % 2 === 0 ? records : replica).change('node', 'n1', increment)
    })
    await Promise.all(changes)
    expect(records.get('node', 'n1')?.renewedMs).toBe(100)
    expect(replica.get('node', 'n1')?.renewedMs).toBe(100)
    await replica.close()
  })

  test('notifies of the changes of another replica, with the record before and after', async () => {
    const seen: (readonly [TrustRecord | undefined, TrustRecord | undefined])[] = []
    records.subscribe((changes) => seen.push(...changes.map(({ before, after }) => [before, after] as const)))
    const first = await other.put(node('n1', 1), 0)
    const second = await other.put(node('n1', 2), first ?? 0)
    await other.remove(node('n1'), second ?? 0)
    await world.settle()
    expect(seen).toEqual([
      [undefined, node('n1', 1)],
      [node('n1', 1), node('n1', 2)],
      [node('n1', 2), undefined],
    ])
  })
})

describe('TrustRecords when the store fails', () => {
  test('waits for the watch to deliver a change, and fails when that takes too long', async () => {
    store.stallWatch()
    const slow = records.change('node', 'slow', () => node('slow'))
    await world.clock.advance(4_000)
    store.resumeWatch()
    await slow
    expect(names()).toEqual(['slow'])
    store.stallWatch()
    const late = records.change('node', 'late', () => node('late'))
    const refused = expect(late).rejects.toMatchObject({ code: 'unavailable', message: /Cannot confirm the change/ })
    await world.clock.advance(5_000)
    await refused
    expect((await other.get('node', 'late'))?.record).toEqual(node('late'))
    store.resumeWatch()
    await world.settle()
    expect(names()).toEqual(['late', 'slow'])
  })

  test('resumes a broken watch where it was', async () => {
    await records.change('node', 'a', () => node('a'))
    store.breakWatch(new NsmError('unavailable', 'Cannot reach the store'))
    await world.settle()
    await other.put(node('b'), 0)
    await world.settle()
    expect(names()).toEqual(['a'])
    await world.clock.advance(200)
    expect(names()).toEqual(['a', 'b'])
  })

  test('lists again when the watch cannot resume, and notices what has gone', async () => {
    await records.change('node', 'goes', () => node('goes'))
    await records.change('node', 'stays', () => node('stays'))
    const seen: string[] = []
    records.subscribe((changes) => seen.push(...changes.map(({ before, after }) => `${before?.name}>${after?.name}`)))
    store.breakWatch(new NsmError('failed_precondition', 'Cannot resume the watch'))
    await world.settle()
    const goes = await other.get('node', 'goes')
    await other.remove(node('goes'), goes?.revision ?? 0)
    await other.put(node('comes'), 0)
    await world.clock.advance(200)
    expect(seen).toEqual(['goes>undefined', 'undefined>comes'])
    expect([names(), records.revision]).toEqual([['comes', 'stays'], (await other.list()).revision])
  })

  test('keeps what it knows while the store is away', async () => {
    await records.change('node', 'n1', () => node('n1'))
    store.dieAt({ write: 1, when: 'before' })
    await expect(records.change('node', 'n2', () => node('n2'))).rejects.toMatchObject({ code: 'unavailable' })
    store.breakWatch(new NsmError('unavailable', 'Cannot reach the store'))
    await world.clock.advance(60_000)
    expect(names()).toEqual(['n1'])
  })
})
