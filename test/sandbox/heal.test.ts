/** What dies, and how a client gets its wire back: each with a second endpoint standing by. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeptWire } from '../../pkg/client/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'
import type { SandboxEndpoint, Workload } from './workload.ts'

const CIDR = '172.16.1.0/24'

const sandbox = new Sandbox()
let west: SandboxDomain
let near: SandboxNode
let first: SandboxNode
let second: SandboxNode

beforeAll(async () => {
  west = await sandbox.domain('west')
  near = await west.node('n1')
  first = await west.node('n2', { NSM_TUNNEL_IP: '127.0.0.2' })
  second = await west.node('n3', { NSM_TUNNEL_IP: '127.0.0.3' })
})
afterAll(() => sandbox.close())

interface Served {
  readonly client: Workload
  readonly wire: KeptWire
  /** The endpoint that the wire leads to, and the other one. */
  readonly serving: SandboxEndpoint
  readonly standby: SandboxEndpoint
}

/** A client at `near` of a service with an endpoint at each of two nodes. */
async function served(service: string, nodes: readonly [SandboxNode, SandboxNode]): Promise<Served> {
  const [a, b] = [
    await nodes[0].endpoint({ service, name: `${service}-a`, cidr: CIDR }),
    await nodes[1].endpoint({ service, name: `${service}-b`, cidr: CIDR }),
  ]
  const client = await near.workload()
  const wire = client.keep(`kernel://${service}/nsm-1`)
  const { endpointName } = await wire.up
  const isFirst = endpointName === `${service}-a`
  return { client, wire, serving: isFirst ? a : b, standby: isFirst ? b : a }
}

async function healed({ wire }: Served, before: string): Promise<number> {
  const startMs = performance.now()
  const isElsewhere = () => wire.state.at === 'up' && wire.state.connection.endpointName !== before
  await until('the wire to lead to the other endpoint', isElsewhere, 5_000)
  return performance.now() - startMs
}

describe.each([
  ['of the same node', () => [near, near] as const],
  ['of one other node', () => [first, first] as const],
  ['of two other nodes', () => [first, second] as const],
])('two endpoints %s', (where, nodes) => {
  const name = (what: string) => `${what}-${where.replaceAll(' ', '-')}`

  it('endpoint killed: the wire leads to the other one within a second, with the addresses that it had', async () => {
    const mesh = await served(name('killed'), nodes())
    const before = await mesh.wire.up
    await mesh.serving.kill()
    expect(await healed(mesh, before.endpointName)).toBeLessThan(1_000)
    const { state } = mesh.wire
    if (!('connection' in state)) throw new Error(`the wire is ${state.at}`)
    expect(state.connection.context.ip).toEqual(before.context.ip)
    expect([mesh.standby.server.connections, near.links(mesh.client.namespace)]).toEqual([1, ['nsm-1']])
    await mesh.client.close()
    await until('the other endpoint to be free', () => mesh.standby.server.connections === 0)
  })

  it('endpoint drained: the wire leads to the other one within a second, and the first one is told', async () => {
    const mesh = await served(name('drained'), nodes())
    const before = await mesh.wire.up
    await mesh.serving.unregister()
    expect(await healed(mesh, before.endpointName)).toBeLessThan(1_000)
    await until('the former endpoint to be told', () => mesh.serving.server.connections === 0)
    expect(mesh.standby.server.connections).toBe(1)
    await mesh.client.close()
  })
})

it('link to the node lost: the wire leads to the other node', async () => {
  const mesh = await served('cut', [first, second])
  const before = await mesh.wire.up
  const peer = { ip: before.endpointName === 'cut-a' ? '127.0.0.2' : '127.0.0.3', port: 51820 }
  near.engine.emit({ at: 'link-quality-down', peer, reason: 'no echo' })
  expect(await healed(mesh, before.endpointName)).toBeLessThan(1_000)
  near.engine.emit({ at: 'link-quality-up', peer })
  await mesh.client.close()
})

it('endpoint restarted without its memory: a new client is served at once, and gets no address that a wire has', async () => {
  const before = await first.endpoint({ service: 'again', name: 'again-a', cidr: CIDR })
  const [old, newcomer] = [await near.workload(), await near.workload()]
  const standing = await old.request('kernel://again/nsm-1')
  await before.kill()
  const after = await first.endpointIn(before.place, { service: 'again', name: 'again-a', cidr: CIDR })
  expect(after.server.connections).toBe(1)
  const fresh = await newcomer.request('kernel://again/nsm-1')
  expect(fresh.context.ip.srcIpAddrs).not.toEqual(standing.context.ip.srcIpAddrs)
  expect((await old.refresh(standing)).context.ip).toEqual(standing.context.ip)
  await old.closeWire(standing)
  await until('the lease to be given back', () => after.server.connections === 1)
  await newcomer.closeWire(fresh)
})

describe('a pod in which nobody is left', () => {
  it('client: the wire ends at both nodes, and the lease is given back', async () => {
    const endpoint = await first.endpoint({ service: 'left', name: 'left-a', cidr: CIDR })
    const client = await near.workload()
    await client.request('kernel://left/nsm-1')
    expect(endpoint.server.connections).toBe(1)
    near.engine.emit({ at: 'namespace-empty', namespace: client.namespace })
    await until('both ends to be gone', () => near.engine.ports.size + first.engine.ports.size === 0, 2_000)
    await until('the lease to be given back', () => endpoint.server.connections === 0, 2_000)
    expect(near.links(client.namespace)).toEqual([])
  })

  it('endpoint: the wire leads to the other one, and nothing of it is left where it was', async () => {
    const mesh = await served('pod', [first, second])
    const before = await mesh.wire.up
    const node = before.endpointName === 'pod-a' ? first : second
    await mesh.serving.kill()
    node.engine.emit({ at: 'namespace-empty', namespace: mesh.serving.namespace })
    expect(await healed(mesh, before.endpointName)).toBeLessThan(1_000)
    await until('nothing to be left', () => node.engine.ports.size === 0 && node.kernel.pins.size === 0, 2_000)
    await mesh.client.close()
  })
})

it('endpoint killed, and no other: the wire is down, and up with the same addresses once it is back', async () => {
  const endpoint = await first.endpoint({ service: 'alone', name: 'alone-a', cidr: CIDR })
  const client = await near.workload()
  const wire = client.keep('kernel://alone/nsm-1')
  const before = await wire.up
  await endpoint.kill()
  await until('the wire to be down', () => wire.state.at === 'healing')
  await endpoint.revive()
  await until('the wire to be up again', () => wire.state.at === 'up', 10_000)
  expect((await wire.up).context.ip).toEqual(before.context.ip)
  expect(near.links(client.namespace)).toEqual(['nsm-1'])
  await client.close()
})

it("the other domain's registry moved: it says so itself, and is followed within two seconds", async () => {
  const east = await sandbox.domain('east')
  await west.joinTo(east)
  const far = await east.node('e1')
  await far.endpoint({ service: 'moved', name: 'moved-a', cidr: CIDR })
  await far.endpoint({ service: 'later', name: 'later-a', cidr: '172.16.2.0/24' })
  for (const service of ['moved', 'later']) await east.export(service)
  const client = await near.workload()
  const wire = await client.request('kernel://moved@east/nsm-1')
  await east.move()
  const startMs = performance.now()
  const ask = () => client.request('kernel://later@east/nsm-2').catch(() => undefined)
  await until('a service of which nobody has asked yet', async () => (await ask()) !== undefined, 5_000)
  expect(performance.now() - startMs).toBeLessThan(2_000)
  expect((await client.refresh(wire)).context.ip).toEqual(wire.context.ip)
  await client.close()
})
