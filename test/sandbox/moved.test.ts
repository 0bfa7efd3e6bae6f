/** Whose daemons have moved to another address, and how soon they are followed. Their wires stand all the time. */
import dns from 'node:dns'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { KeptWire } from '../../pkg/client/index.ts'
import { freePort } from '../lab/free-port.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'
import type { Workload } from './workload.ts'

const FOLLOWED_MS = 2_000

const sandbox = new Sandbox()
let west: SandboxDomain
let near: SandboxNode
let far: SandboxNode
let foreign: SandboxNode
let client: Workload
let wires: readonly KeptWire[]
/** Where those are now that have moved. */
const places = new Map<SandboxNode, Readonly<Record<string, string>>>()

beforeAll(async () => {
  west = await sandbox.domain('west')
  const east = await sandbox.domain('east')
  await west.joinTo(east)
  near = await west.node('n1')
  far = await west.node('n2')
  foreign = await east.node('n1')
  await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  await foreign.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
  await east.export('mail')
  client = await near.workload()
  wires = ['kernel://files/nsm-1', 'kernel://mail@east/nsm-2'].map((url) => client.keep(url))
  await Promise.all(wires.map(({ up }) => up))
})
afterAll(() => sandbox.close())

const { lookup } = dns.promises
afterEach(() => {
  dns.promises.lookup = lookup
})

/** What the resolver of the machine says of one name. */
function resolve(name: string, address: string): void {
  const answer = async (asked: string) => (asked === name ? [{ address, family: 4 }] : lookup(asked, { all: true }))
  dns.promises.lookup = answer as unknown as typeof lookup
}

const standing = () =>
  wires.map(({ state }) => ('connection' in state ? [state.connection.id, state.connection.context] : [state.at]))

/** Until new wires come about, and those that stand can be refreshed. */
async function followed(): Promise<number> {
  const startMs = performance.now()
  const another = await near.workload()
  for (const [index, service] of ['files', 'mail@east'].entries()) {
    const ask = () => another.request(`kernel://${service}/new-${index}`).catch(() => undefined)
    await until(`a new wire to ${service}`, async () => (await ask()) !== undefined, 15_000)
  }
  for (const { state } of wires) {
    if (!('connection' in state)) throw new Error(`a wire is ${state.at}`)
    const refresh = () => client.refresh(state.connection).catch(() => undefined)
    await until('a refresh', async () => (await refresh()) !== undefined, 15_000)
  }
  const tookMs = performance.now() - startMs
  await another.close()
  return tookMs
}

it.each([
  ["an endpoint's node", () => far],
  ["an endpoint's node of another domain", () => foreign],
  ["a client's node", () => near],
])('%s at another address is followed, and the wires are the same', async (_, which) => {
  const before = standing()
  const node = which()
  await node.stop()
  const NSM_LISTEN_ON = `tcp://127.0.0.1:${await freePort()}`
  places.set(node, { NSM_LISTEN_ON })
  await node.start({ NSM_LISTEN_ON })
  expect(await followed()).toBeLessThan(FOLLOWED_MS)
  await until('the wires to be up', () => wires.every(({ state }) => state.at === 'up'), FOLLOWED_MS)
  expect(standing()).toEqual(before)
})

it('a registry whose name leads elsewhere now is followed', async () => {
  const where: Record<string, string> = {}
  const south = await sandbox.domain('south', where)
  resolve('registry.test', '127.0.0.1')
  const port = new URL(south.registryUrl).port
  const node = await south.node('n1', { NSM_REGISTRY_URL: `tcp://registry.test:${port}` })
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  const workload = await node.workload()
  const wire = workload.keep('kernel://files/nsm-1')
  const before = await wire.up

  await south.stop()
  resolve('registry.test', '127.0.0.2')
  where['NSM_LISTEN_ON'] = `tcp://127.0.0.2:${port}`
  await south.start()
  const startMs = performance.now()
  const problem = async () => {
    const operator = await node.operator()
    const { conditions } = await operator.node().status()
    await operator.close()
    return conditions.find(({ name }) => name === 'registry')?.problem
  }
  await until('the registry to be there', async () => (await problem()) === '', 15_000)
  expect(performance.now() - startMs).toBeLessThan(FOLLOWED_MS)
  await node.endpoint({ service: 'late', name: 'nse-late', cidr: '172.16.3.0/24' })
  await workload.request('kernel://late/nsm-2')
  expect([wire.state.at, (await wire.up).context.ip]).toEqual(['up', before.context.ip])
})

it('a registry at another IP address is followed by nodes that are told so, without a change to a wire', async () => {
  const before = standing()
  await west.move()
  for (const node of [near, far]) {
    const { writes } = node
    await node.stop()
    await node.start({ ...places.get(node), NSM_REGISTRY_URL: west.registryUrl })
    expect(node.writes).toEqual(writes)
  }
  expect(await followed()).toBeLessThan(FOLLOWED_MS)
  await until('the wires to be up', () => wires.every(({ state }) => state.at === 'up'), FOLLOWED_MS)
  expect(standing()).toEqual(before)
})
