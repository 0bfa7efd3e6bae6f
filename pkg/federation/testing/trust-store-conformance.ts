/** The suite that every {@link TrustStore} passes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeRecord } from '../store/record-codec.ts'
import { type DomainRecord, MAX_EXPORTS, type TrustRecord } from '../store/trust-record.ts'
import type { TrustStore } from '../store/trust-store.ts'
import { domain, invitation, node, self } from './sample-records.ts'
import { WatchReader } from './watch-reader.ts'

export interface OpenTrustStore {
  readonly store: TrustStore
  /** The same records, as another replica of the registry sees them: the same object where there is only one. */
  readonly replica: TrustStore
  close(): void | Promise<void>
}

/** @param open opens an empty store. */
export function trustStoreConformance(name: string, open: () => OpenTrustStore | Promise<OpenTrustStore>): void {
  describe(`trust store: ${name}`, () => {
    const subject: Subject = { store: notOpen, replica: notOpen }
    let opened: OpenTrustStore
    beforeEach(async () => {
      opened = await open()
      subject.store = opened.store
      subject.replica = opened.replica
    })
    afterEach(() => opened.close())
    records(subject)
    swaps(subject)
    races(subject)
    watches(subject)
  })
}

interface Subject {
  store: TrustStore
  replica: TrustStore
}

const notOpen: TrustStore = {
  list: () => Promise.reject(new Error('not open')),
  get: () => Promise.reject(new Error('not open')),
  put: () => Promise.reject(new Error('not open')),
  remove: () => Promise.reject(new Error('not open')),
  watch: () => {
    throw new Error('not open')
  },
}

function records(subject: Subject): void {
  test.each<[string, TrustRecord]>([
    ['a domain', domain],
    ['a node', node('n1')],
    ['a revoked node', { ...node('n1', 5), revokedMs: 1_900_000_000_001 }],
    ['an invitation', invitation],
    ['a used invitation', { ...invitation, usedMs: 1 }],
    ['the domain itself', self],
    ['the domain itself, introduced', { ...self, introduced: { revision: 7, digest: 'x' }, exports: ['dns'] }],
  ])('gives back %s as it was put, to the last field', async (_, record) => {
    const { store, replica } = subject
    const revision = await store.put(record, 0)
    expect(await store.get(record.kind, record.name)).toStrictEqual({ record, revision })
    expect(await replica.get(record.kind, record.name)).toStrictEqual({ record, revision })
    expect((await replica.list()).records).toStrictEqual([{ record, revision }])
  })

  test('stores the largest possible record', async () => {
    const { store } = subject
    const largest: DomainRecord = {
      ...domain,
      introduction: {
        ...domain.introduction,
        addresses: Array.from({ length: 8 }, (_, index) => `${index}${'x'.repeat(252)}:65535`),
        authorities: Array.from({ length: 8 }, () => new Uint8Array(4_096).fill(255)),
      },
      exports: Array.from({ length: MAX_EXPORTS }, (_, index) => `${index}`.padStart(253, 'x')),
    }
    expect(encodeRecord(largest).length).toBeLessThan(512 * 1024)
    await store.put(largest, 0)
    expect((await store.get('domain', 'west'))?.record).toEqual(largest)
  })

  test('records of the same name and different kinds are different records', async () => {
    const { store } = subject
    await store.put(node('west'), 0)
    expect(await store.get('domain', 'west')).toBeUndefined()
    await store.put(domain, 0)
    expect((await store.list()).records.map(({ record }) => record.kind).sort()).toEqual(['domain', 'node'])
  })

  test('an empty store has no records, but a revision', async () => {
    const { revision, records } = await subject.store.list()
    expect(records).toEqual([])
    expect(Number.isSafeInteger(revision)).toBe(true)
  })
}

function swaps(subject: Subject): void {
  test('a record is replaced only at the revision that the writer expects', async () => {
    const { store } = subject
    const first = await store.put(node('n1', 1), 0)
    expect(await store.put(node('n1', 2), 0)).toBeUndefined()
    expect(await store.get('node', 'n1')).toMatchObject({ record: { renewedMs: 1 }, revision: first })
    const second = await store.put(node('n1', 3), first ?? 0)
    expect(await store.put(node('n1', 4), first ?? 0)).toBeUndefined()
    expect(await store.get('node', 'n1')).toMatchObject({ record: { renewedMs: 3 }, revision: second })
    expect(second).toBeGreaterThan(first ?? 0)
  })

  test('a record is removed only at the revision that the writer expects', async () => {
    const { store } = subject
    const first = (await store.put(node('n1', 1), 0)) ?? 0
    const second = (await store.put(node('n1', 2), first)) ?? 0
    expect(await store.remove(node('n1'), first)).toBeUndefined()
    expect(await store.get('node', 'n1')).toMatchObject({ record: { renewedMs: 2 } })
    expect(await store.remove(node('n1'), second)).toBeGreaterThan(second)
    expect(await store.get('node', 'n1')).toBeUndefined()
    expect(await store.remove(node('n1'), second)).toBeUndefined()
  })

  test('a removed record can be written again, but not at its old revision', async () => {
    const { store } = subject
    expect(await store.put(node('n1'), 1)).toBeUndefined()
    expect(await store.get('node', 'n1')).toBeUndefined()
    const first = (await store.put(node('n1'), 0)) ?? 0
    await store.remove(node('n1'), first)
    expect(await store.put(node('n1'), first)).toBeUndefined()
    expect(await store.put(node('n1'), 0)).toBeGreaterThan(first)
  })

  test('revisions grow with each change, over all kinds', async () => {
    const { store } = subject
    const revisions = [(await store.list()).revision]
    for (const record of [node('a'), domain, node('b'), invitation]) revisions.push((await store.put(record, 0)) ?? 0)
    revisions.push((await store.remove(domain, revisions[2] ?? 0)) ?? 0)
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
    expect((await store.list()).revision).toBeGreaterThanOrEqual(revisions.at(-1) ?? 0)
  })
}

function races(subject: Subject): void {
  test('of many writes at the same revision one succeeds, at whichever replica', async () => {
    const { store, replica } = subject
    const first = (await store.put(invitation, 0)) ?? 0
    const tries = Array.from({ length: 50 }, (_, index) => {
      return (index % 2 === 0 ? store : replica).put({ ...invitation, usedMs: index }, first)
    })
    const written = (await Promise.all(tries)).filter((revision) => revision !== undefined)
    expect(written).toHaveLength(1)
    expect((await replica.get('invitation', invitation.name))?.revision).toBe(written[0])
  })

  test('no change is lost when all writers read, swap and try again', async () => {
    const { store, replica } = subject
    await store.put(node('n1', 0), 0)
    const increment = async (store: TrustStore): Promise<void> => {
      const stored = await store.get('node', 'n1')
      const next = node('n1', (stored?.record.renewedMs ?? 0) + 1)
      if ((await store.put(next, stored?.revision ?? 0)) === undefined) await increment(store)
    }
    await Promise.all(Array.from({ length: 20 }, (_, index) => increment(index % 2 === 0 ? store : replica)))
    expect((await store.get('node', 'n1'))?.record.renewedMs).toBe(20)
  })
}

function watches(subject: Subject): void {
  test('a watch from a list misses nothing, in order, whichever replica writes', async () => {
    const { store, replica } = subject
    const first = (await store.put(node('before'), 0)) ?? 0
    const { revision } = await store.list()
    const watch = new WatchReader(store, revision)
    const between = (await replica.put(domain, 0)) ?? 0
    const removed = (await store.remove(node('before'), first)) ?? 0
    expect(await watch.next()).toEqual({ kind: 'domain', name: 'west', revision: between, record: domain })
    expect(await watch.next()).toEqual({ kind: 'node', name: 'before', revision: removed, record: undefined })
    const after = await store.put(node('after'), 0)
    expect(await watch.next()).toMatchObject({ revision: after, record: { name: 'after' } })
    expect(await watch.next(50)).toBe('nothing')
    await watch.close()
  })

  test('a watch resumes from the last revision that it has seen, and yields every change after it', async () => {
    const { store, replica } = subject
    const { revision } = await store.list()
    const first = (await replica.put(node('a', 1), 0)) ?? 0
    const second = (await replica.put(node('a', 2), first)) ?? 0
    await replica.put(node('b', 3), 0)
    await replica.put(node('a', 4), second)
    const seen: (number | undefined)[] = []
    let from = revision
    while (seen.length < 4) {
      const watch = new WatchReader(store, from)
      const change = await watch.next()
      await watch.close()
      if (change === 'nothing' || change === 'ended') throw new Error(`the watch brought ${change}`)
      seen.push(change.record?.kind === 'node' ? change.record.renewedMs : undefined)
      from = change.revision
    }
    expect(seen).toEqual([1, 2, 3, 4])
  })

  test('a watch does not see a write that failed', async () => {
    const { store } = subject
    const watch = new WatchReader(store, (await store.list()).revision)
    await store.put(node('n1'), 5)
    await store.remove(node('n1'), 5)
    expect(await watch.next(50)).toBe('nothing')
    await watch.close()
  })

  test('a reader that falls far behind is cut off or loses nothing, and delays no other', async () => {
    const { store } = subject
    const { revision } = await store.list()
    const slow = new WatchReader(store, revision)
    const quick = new WatchReader(store, revision)
    let last = 0
    for (let index = 0; index < 1_200; index += 1) {
      last = (await store.put(node('busy', index), last)) ?? 0
      expect(await quick.next()).toMatchObject({ record: { renewedMs: index } })
    }
    const readAll = async () => {
      for (let change = await slow.next(); change !== 'nothing'; change = await slow.next()) {
        if (change !== 'ended' && change.revision === last) return 'everything'
      }
      return 'a part'
    }
    const outcome = await readAll().catch((error) => error.code)
    expect(['everything', 'resource_exhausted']).toContain(outcome)
    await Promise.all([slow.close(), quick.close()])
  })
}
