/** A registry with many endpoints: how long it takes to find those of one service, and to register meanwhile. */
import { join } from 'node:path'
import type { NetworkServiceEndpoint } from '../../../pkg/api/index.ts'
import { migrations } from '../../../pkg/daemon/nsm-registry/migrations.ts'
import { sqliteStore } from '../../../pkg/registry/index.ts'
import { openDatabase } from '../../../pkg/store/index.ts'
import { type Clients, RegistryProcess, soon } from '../../registry/registry-process.ts'
import { quantile } from '../quantile.ts'
import type { ControlEffort } from './effort.ts'
import type { Found } from './wires.ts'

const PER_SERVICE = 100
const AT_ONCE = 16
const ROUNDS = 40

export async function measureRegistry({ endpoints }: ControlEffort, found: Found): Promise<void> {
  const registry = await RegistryProcess.prepare('west')
  try {
    await registry.start()
    const { source } = await registry.joinNode('west-1')
    await registry.stop()
    fill(join(registry.stateDir, 'registry.db'), endpoints)
    await registry.start()
    await ask(registry.as(source), endpoints / PER_SERVICE, found)
  } finally {
    await registry.close()
  }
}

/** At once and to the file: through the API it would take minutes. */
function fill(path: string, count: number): void {
  const database = openDatabase(path, { application: 'nsm-registry', migrations })
  const store = sqliteStore(database)
  database.transaction(() => {
    for (let index = 0; index < count; index += 1) void store.endpoints.put(endpoint(index))
  })
  database.close()
}

function endpoint(index: number): NetworkServiceEndpoint {
  const service = `service-${Math.floor(index / PER_SERVICE)}`
  const owner = `spiffe://west/node/n${index % PER_SERVICE}`
  return {
    name: `nse-${index}`,
    networkServiceNames: [service],
    networkServiceLabels: new Map([[service, { app: service, zone: `z${index % 3}`, nodeName: `n${index % 100}` }]]),
    url: `tcp://192.0.2.${index % 100}:5001`,
    expiresMs: Date.now() + 3_600_000,
    registeredMs: Date.now(),
    pathIds: [owner],
  }
}

async function ask({ endpoints }: Clients, services: number, found: Found): Promise<void> {
  let asked = 0
  const find = async () => {
    asked += 1
    const query = { endpoint: { networkServiceNames: [`service-${(asked * 7) % services}`] }, watch: false }
    let count = 0
    for await (const _ of endpoints.find(query, soon())) count += 1
    if (count !== PER_SERVICE) throw new Error(`found ${count} endpoints of ${PER_SERVICE}`)
  }
  const register = async (index: number) => {
    const url = 'tcp://192.0.2.200:5001'
    const own = { ...endpoint(index), networkServiceNames: ['own'], networkServiceLabels: new Map(), pathIds: [], url }
    await endpoints.register({ ...own, name: `own-${index % 10}` }, soon())
  }
  await rounds(10, find)
  found('find_p50_ms', quantile(await rounds(ROUNDS, find), 0.5))
  found('register_p50_ms', quantile(await rounds(ROUNDS, register), 0.5))
  const finders = Array.from({ length: AT_ONCE }, () => rounds(ROUNDS / 2, find))
  const [times, beside] = await Promise.all([Promise.all(finders), rounds(ROUNDS / 2, register)])
  found('find_16_p50_ms', quantile(times.flat(), 0.5))
  found('register_beside_p50_ms', quantile(beside, 0.5))
}

/** How long each took, one after the other, in milliseconds. */
async function rounds(count: number, work: (index: number) => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const startMs = performance.now()
    await work(index)
    times.push(performance.now() - startMs)
  }
  return times
}
