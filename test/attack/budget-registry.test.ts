import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import { migrations } from '../../pkg/daemon/nsm-registry/migrations.ts'
import { withoutPolicy } from '../../pkg/policy/index.ts'
import { EndpointRegistry, OtherDomains, type RegistryStore, sqliteStore } from '../../pkg/registry/index.ts'
import { callOf, collect, endpoint, FakeExports, registering } from '../../pkg/registry/testing/index.ts'
import { type Database, openDatabase } from '../../pkg/store/index.ts'

/** A registry with its file; what one caller does must not cost the others more than its share. */
let directory: string
let database: Database
let store: RegistryStore
let registry: EndpointRegistry
let others: OtherDomains
const exports = new FakeExports()
const clock = systemClock
const logger = silentLogger
const NODE = 'spiffe://west/node/n1'

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nsm-budget-'))
  database = openDatabase(join(directory, 'registry.db'), { application: 'budget test', migrations })
  store = sqliteStore(database)
  const registryOf = () => {
    throw new Error('nobody asks another domain here')
  }
  others = new OtherDomains({ registryOf, clock, logger })
  const common = { domain: 'west', store, exports, policy: withoutPolicy, others, ...registering(clock), clock, logger }
  registry = await EndpointRegistry.open({ ...common, defaultExpiryMs: 3_600_000 })
})
afterEach(() => {
  registry.close()
  others.close()
  database.close()
  rmSync(directory, { recursive: true })
})

/** Milliseconds that a Find takes, in the middle of 25. */
async function findMs(caller: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 25; round += 1) {
    const startMs = performance.now()
    await collect(registry.find({ endpoint: {}, watch: false }, callOf(caller)))
    times.push(performance.now() - startMs)
  }
  return times.sort((a, b) => a - b)[12] ?? Number.NaN
}

it("another domain's questions cost no more when the domain has much that it may not see", async () => {
  const foreigner = 'spiffe://east/registry'
  exports.set('east', 'files')
  for (let index = 0; index < 20; index += 1) await store.endpoints.put(endpoint(`files-${index}`))
  const alone = await findMs(foreigner)
  for (let index = 0; index < 2_000; index += 1) {
    await store.endpoints.put(endpoint(`private-${index}`, { networkServiceNames: ['private'] }))
  }
  const among = await findMs(foreigner)
  expect(among / alone, `${among} ms after ${alone} ms`).toBeLessThan(3)
})

it('one that registers and unregisters large endpoints does not fill the disk', async () => {
  const labels = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i}`.padEnd(250, 'x'), 'y'.repeat(250)]))
  const large = { networkServiceLabels: new Map([['files', labels]]) }
  for (let index = 0; index < 1_000; index += 1) {
    const name = `nse-${index}`
    await registry.register(endpoint(name, large), callOf(NODE))
    await registry.unregister(endpoint(name), callOf(NODE))
  }
  const bytes = readdirSync(directory).reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
  expect(bytes / 2 ** 20, 'MiB on disk').toBeLessThan(20)
})
