/** Another endpoint under the same id: made before what stands is broken. */
import { describe, expect, it } from 'vitest'
import type { Connection } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Target } from '../connections/index.ts'
import { firstRequest, refreshOf, TestEndpoint, TestNode } from './testing/test-node.ts'

const away = () => new NsmError('unavailable', 'Cannot reach the peer')

/** A node with two endpoints of one service. */
function twoEndpoints() {
  const endpoints = new Map(['nse-a', 'nse-b'].map((name) => [name, new TestEndpoint(name)]))
  const connect = ({ endpoint }: Target) => endpoints.get(endpoint)?.hop() ?? raise(away())
  const node = new TestNode({ connect })
  for (const name of endpoints.keys()) node.serve('files', name)
  const live = () => [...endpoints].filter(([, { live }]) => live.size > 0).map(([name]) => name)
  return { node, endpoints, live }
}

function raise(error: Error): never {
  throw error
}

async function down({ node }: { readonly node: TestNode }): Promise<Connection> {
  const wire = await node.service.request(firstRequest('files'), node.call())
  node.table.setFault(wire.path.segments[1]?.id ?? '', 'far end', 'it is gone')
  return wire
}

describe('a client that repeats its request for a wire that is down', () => {
  it('gets another endpoint under the same id, and the former one is closed', async () => {
    const mesh = twoEndpoints()
    const wire = await down(mesh)
    const again = await mesh.node.service.request(refreshOf(wire), mesh.node.call())
    expect([wire.endpointName, again.endpointName]).toEqual(['nse-a', 'nse-b'])
    await expect.poll(mesh.live).toEqual(['nse-b'])
    expect([again.id, again.path.segments[1]?.id]).toEqual([wire.id, wire.path.segments[1]?.id])
    expect(again.state).toBe('UP')
    expect(mesh.node.intents.size).toBe(1)
  })

  it('keeps the addresses that it has', async () => {
    const mesh = twoEndpoints()
    const wire = await down(mesh)
    await mesh.node.service.request(refreshOf(wire), mesh.node.call())
    const asked = mesh.endpoints.get('nse-b')?.asked[0]?.connection
    expect(asked?.context.ip.srcIpAddrs).toEqual(wire.context.ip.srcIpAddrs)
    expect(asked?.path.segments.map(({ name }) => name)).toEqual(['client', 'n1'])
  })

  it('is not held up by a former endpoint that is gone', async () => {
    const mesh = twoEndpoints()
    const wire = await down(mesh)
    mesh.endpoints.delete('nse-a')
    const again = await mesh.node.service.request(refreshOf(wire), mesh.node.call())
    expect(again.endpointName).toBe('nse-b')
    await mesh.node.service.shutdown()
  })

  it('keeps the endpoint that it has where no other accepts it', async () => {
    const mesh = twoEndpoints()
    const wire = await down(mesh)
    mesh.endpoints.delete('nse-b')
    const again = await mesh.node.service.request(refreshOf(wire), mesh.node.call())
    expect([again.endpointName, again.state, mesh.live()]).toEqual(['nse-a', 'UP', ['nse-a']])
  })
})

describe('a client that wants another endpoint', () => {
  it.each([
    ['by RESELECT_REQUESTED', { state: 'RESELECT_REQUESTED', endpointName: '' }],
    ['by its name', { endpointName: 'nse-b' }],
  ] as const)('gets one %s', async (_how, change) => {
    const { node, live } = twoEndpoints()
    const wire = await node.service.request(firstRequest('files'), node.call())
    const again = await node.service.request(refreshOf({ ...wire, ...change }), node.call())
    expect(again.endpointName).toBe('nse-b')
    await expect.poll(live).toEqual(['nse-b'])
  })

  it('keeps the one that it has where the named one refuses', async () => {
    const { node, endpoints, live } = twoEndpoints()
    const wire = await node.service.request(firstRequest('files'), node.call())
    endpoints.delete('nse-b')
    const asked = node.service.request(refreshOf({ ...wire, endpointName: 'nse-b' }), node.call())
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' })
    expect([live(), node.intents.size]).toEqual([['nse-a'], 1])
  })
})

it('a former node that is away is told when it is back, and not when the wire leads there again', async () => {
  const { node, endpoints, live } = twoEndpoints()
  const wire = await down({ node })
  const former = endpoints.get('nse-a') ?? raise(new Error('no endpoint'))
  endpoints.delete('nse-a')
  const again = await node.service.request(refreshOf(wire), node.call())
  await node.clock.advance(20_000)
  expect([again.endpointName, former.live.size]).toEqual(['nse-b', 1])
  endpoints.set('nse-a', former)
  await node.clock.advance(5_000)
  expect([former.live.size, live()]).toEqual([0, ['nse-b']])
  endpoints.delete('nse-b')
  node.table.setFault(again.path.segments[1]?.id ?? '', 'far end', 'it is gone')
  const back = await node.service.request(refreshOf(again), node.call())
  node.table.setFault(back.path.segments[1]?.id ?? '', 'far end', 'it is gone')
  endpoints.set('nse-b', new TestEndpoint('nse-b'))
  await node.service.request(refreshOf(back), node.call())
  await node.clock.advance(20_000)
  expect(live()).toEqual(['nse-b'])
  await node.service.shutdown()
})

it('two endpoints of one far node: the far node replaces its end, and nobody closes it', async () => {
  const { node: far, live } = twoEndpoints()
  const near = new TestNode({ clock: far.clock, connect: () => far.hop('spiffe://west/node/n1') })
  Object.assign(far.self, { name: 'n2' })
  for (const name of ['nse-a', 'nse-b']) near.serve('files', name, 'tcp://192.0.2.2:5001')
  const wire = await down({ node: near })
  const again = await near.service.request(refreshOf(wire), near.call())
  expect(again.endpointName).toBe('nse-b')
  await expect.poll(live).toEqual(['nse-b'])
  expect([near.intents.size, far.intents.size]).toEqual([1, 1])
  expect(again.path.segments[2]?.id).toBe(wire.path.segments[2]?.id)
})
