import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../store/index.ts'
import { trustStoreConformance } from '../testing/index.ts'
import { federationRecords, federationTables } from './schema.ts'
import { sqliteTrustStore } from './sqlite-trust-store.ts'

const options = { application: 'trust test', migrations: [federationTables, federationRecords] }

trustStoreConformance('SQLite in memory', () => {
  const database = openDatabase(':memory:', options)
  const store = sqliteTrustStore(database)
  return { store, replica: store, close: () => database.close() }
})

trustStoreConformance('SQLite in a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-trust-'))
  const database = openDatabase(join(directory, 'trust.db'), options)
  const store = sqliteTrustStore(database)
  const close = () => {
    database.close()
    rmSync(directory, { recursive: true })
  }
  return { store, replica: store, close }
})

test('a reopened file has the same records and revisions, and older watches must list again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-trust-'))
  const path = join(directory, 'trust.db')
  const node = { kind: 'node', name: 'n1', joinedMs: 1, renewedMs: 2, revokedMs: undefined, url: '' } as const
  try {
    const first = openDatabase(path, options)
    const before = sqliteTrustStore(first)
    const start = (await before.list()).revision
    const revision = await before.put(node, 0)
    first.close()
    const second = openDatabase(path, options)
    const after = sqliteTrustStore(second)
    expect(await after.list()).toEqual({ revision, records: [{ record: node, revision }] })
    const watch = after.watch(start, new AbortController().signal)[Symbol.asyncIterator]()
    await expect(watch.next()).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await after.put({ ...node, renewedMs: 3 }, revision ?? 0)).toBeGreaterThan(revision ?? 0)
    second.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
