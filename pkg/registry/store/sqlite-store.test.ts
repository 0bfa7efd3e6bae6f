import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../store/index.ts'
import { endpoint, Reader, registryStoreConformance } from '../testing/index.ts'
import { History } from './history.ts'
import { registrySchema } from './schema.ts'
import { sqliteStore } from './sqlite-store.ts'

const options = { application: 'registry test', migrations: [registrySchema] }

registryStoreConformance('SQLite in memory', () => {
  const database = openDatabase(':memory:', options)
  return { store: sqliteStore(database), close: () => database.close() }
})

registryStoreConformance('SQLite in a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-registry-'))
  const database = openDatabase(join(directory, 'registry.db'), options)
  const close = () => {
    database.close()
    rmSync(directory, { recursive: true })
  }
  return { store: sqliteStore(database), close }
})

test('a reopened file still knows records, owners and revisions', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-registry-'))
  try {
    const first = openDatabase(join(directory, 'registry.db'), options)
    await sqliteStore(first).endpoints.put(endpoint('nse-1', { pathIds: ['spiffe://west/a'] }))
    const { revision } = await sqliteStore(first).endpoints.list({})
    first.close()
    const second = openDatabase(join(directory, 'registry.db'), options)
    const { endpoints } = sqliteStore(second)
    const thief = endpoint('nse-1', { pathIds: ['spiffe://west/thief'] })
    await expect(endpoints.put(thief)).rejects.toMatchObject({ code: 'permission_denied' })
    expect((await endpoints.list({})).revision).toBe(revision)
    second.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a watch cannot be resumed from before the oldest tombstone that is kept', async () => {
  const database = openDatabase(':memory:', options)
  const { endpoints } = sqliteStore(database)
  for (const name of ['a', 'b', 'c']) {
    await endpoints.put(endpoint(name))
    await endpoints.remove(name)
  }
  new History(database, { tombstones: 1 }).trim(0) // keeps the newest one
  const signal = new AbortController().signal
  await expect(new Reader(endpoints.watch(0, signal)).next()).rejects.toMatchObject({ code: 'failed_precondition' })
  expect(await new Reader(endpoints.watch(4, signal)).next()).toMatchObject({ value: { name: 'c' }, deleted: true })
  database.close()
})

test('tombstones are kept by their size', async () => {
  const database = openDatabase(':memory:', options)
  const { endpoints } = sqliteStore(database, { bytes: 200_000 })
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${i}`.padEnd(80, 'x'), 'y'.repeat(80)]))
  const large = { networkServiceLabels: new Map([['files', labels]]) }
  const stored = database.query('SELECT sum(octet_length(value)) AS bytes FROM registry_record', (row) =>
    row.integer('bytes'),
  )
  let most = 0
  for (let index = 0; index < 60; index += 1) {
    await endpoints.put(endpoint(`nse-${index}`, large))
    await endpoints.remove(`nse-${index}`)
    most = Math.max(most, stored.get() ?? 0)
  }
  expect(most).toBeGreaterThan(100_000)
  expect(most).toBeLessThan(200_000)
  const signal = new AbortController().signal
  await expect(new Reader(endpoints.watch(0, signal)).next()).rejects.toMatchObject({ code: 'failed_precondition' })
  expect(await new Reader(endpoints.watch(118, signal)).next()).toMatchObject({ value: { name: 'nse-59' } })
  database.close()
})
