import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { Invitations, sqliteTrustStore, Trust, TrustRecords } from '../../federation/index.ts'
import { isRoutable } from '../../net/index.ts'
import { sqliteStore } from '../../registry/index.ts'
import { type Database, openDatabase } from '../../store/index.ts'
import { migrations } from './migrations.ts'

/** When the old version wrote its last record. */
const WRITTEN_MS = Date.UTC(2030, 0, 1, 0, 30, 1)
const SECRETS = {
  n1: 'AfV9QboiJ45_2qqNgNMkv857QHhs_5BhqVf-9EUG2zU',
  n3: 'MaQJgd4MvDzMMni-r2Q9RiKgyURHMeXou4nGZbgrXw4',
  domain: 'FGeOXEtuJlwf81yCsycTSDmGvQaGp-32cKiXNlS0ON8',
}
/** The certificate of east's authority. */
const AUTHORITY = [
  'MIIBnTCCAUOgAwIBAgIQVYYdKZqPiwkff1EBt5/sxjAKBggqhkjOPQQDAjAgMQ0wCwYDVQQDEwRlYXN0MQ8wDQYDVQQKEwZuc21l',
  'c2gwHhcNMjkxMjMxMjM1OTAwWhcNMzkxMjMwMDAwMDAwWjAgMQ0wCwYDVQQDEwRlYXN0MQ8wDQYDVQQKEwZuc21lc2gwWTATBgcq',
  'hkjOPQIBBggqhkjOPQMBBwNCAAQc2dHcYPHLaXW6bE4M8IMhGDGFU+EHU0dKONstD5s0lSLY9MusUzUst7OlKgRw2hv9cM+XIYBQ',
  'OYsuvUEZGb6Bo18wXTASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBBjAYBgNVHREEETAPhg1zcGlmZmU6Ly9lYXN0',
  'MB0GA1UdDgQWBBTeoepr4H2a/PIYycSAUcVXXtvmTjAKBggqhkjOPQQDAgNIADBFAiEAwif62ZrHtHppB9L7ftl12g9hB5uYGW3l',
  'wyELbXkItkkCIHhFBhRyy4Kpc0y9ZmrFWo1/2atWhzdL2FV0XP62YFxb',
].join('')

let directory: string
let database: Database
let records: TrustRecords
let trust: Trust
const clock = new FakeClock(WRITTEN_MS)

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nsm-migrations-'))
  const path = join(directory, 'registry.db')
  const old = new DatabaseSync(path)
  old.exec(readFileSync(new URL('testing/registry-0.1.sql', import.meta.url), 'utf8'))
  old.close()
  database = openDatabase(path, { application: 'nsm-registry', migrations })
  records = await TrustRecords.open({ store: sqliteTrustStore(database), clock, logger: silentLogger })
  const authorities = [new Uint8Array(Buffer.from(AUTHORITY, 'base64'))]
  trust = await Trust.open({
    records,
    domain: 'east',
    authorities,
    addresses: ['east.test:5002'],
    reach: isRoutable,
    clock,
  })
})

afterEach(async () => {
  trust.close()
  await records.close()
  database.close()
  rmSync(directory, { recursive: true })
})

describe('a state file of version 0.1', () => {
  test('keeps the domains that joined, with authorities, addresses and times', () => {
    expect(trust.joined().map(({ name, joinedMs }) => [name, joinedMs])).toEqual([
      ['north', Date.UTC(2030, 0, 1, 0, 0, 1)],
      ['west', Date.UTC(2030, 0, 1)],
    ])
    const introduction = trust.joinedDomain('west')?.introduction
    expect(introduction).toMatchObject({
      domain: 'west',
      addresses: ['west.test:5002', '192.0.2.7:5002'],
      revision: Date.UTC(2030, 0, 1),
    })
    const [authority = new Uint8Array()] = introduction?.authorities ?? []
    expect(Buffer.from(authority).toString('base64')).toMatch(/^MIIBnTCCAUOgAwIBAgIQVOYtWcxdUv7M5q33A95ByDAKB.*OQMFs$/)
    expect(trust.bundles().get('west')).toEqual([authority])
  })

  test('keeps the exports to one domain and to all', () => {
    expect(trust.exports()).toEqual(
      new Map([
        ['north', new Set(['dns'])],
        ['west', new Set(['db', 'dns', 'files'])],
      ]),
    )
  })

  test('keeps the nodes, and which of them are revoked', () => {
    const [joinedMs, revokedMs] = [Date.UTC(2030, 0, 1, 0, 0, 1), WRITTEN_MS]
    expect(records.all('node')).toEqual([
      { kind: 'node', name: 'n1', joinedMs, renewedMs: WRITTEN_MS, revokedMs: undefined, url: '' },
      { kind: 'node', name: 'n2', joinedMs, renewedMs: joinedMs, revokedMs, url: '' },
    ])
    expect([1, 2].map((number) => trust.isRevoked(`spiffe://east/node/n${number}/uid/0`))).toEqual([false, true])
  })

  test('keeps the invitations that are out, and those that were used', async () => {
    const invitations = new Invitations(records, clock)
    const invitation = await invitations.check(SECRETS.n3, 'node')
    expect(invitation).toMatchObject({ guest: 'n3', expiresMs: WRITTEN_MS - 1_800_000 + 7 * 24 * 3_600_000 })
    expect(await invitations.check(SECRETS.domain, 'domain')).toMatchObject({ invites: 'domain', guest: '' })
    await expect(invitations.check(SECRETS.n1, 'node')).rejects.toThrow(/used already/)
    await invitations.use(invitation)
    await expect(invitations.check(SECRETS.n3, 'node')).rejects.toThrow(/used already/)
  })

  test('keeps the revision of the introduction that others have seen, and goes on above that of the trust state', () => {
    expect(trust.introduction.revision).toBe(Date.UTC(2030, 0, 1))
    expect(trust.state().revision > 8n).toBe(true)
  })

  test('keeps the registered services and endpoints', async () => {
    const { services, endpoints } = sqliteStore(database)
    expect((await services.list({})).values).toMatchObject([{ name: 'files', pathIds: ['spiffe://east/node/n1'] }])
    expect((await endpoints.list({})).values.map(({ name }) => name)).toEqual(['nse-1'])
  })
})
