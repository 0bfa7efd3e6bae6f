import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

describe('two domains', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let east: SandboxDomain
  let near: SandboxNode
  let far: SandboxNode

  beforeAll(async () => {
    west = await sandbox.domain('west')
    east = await sandbox.domain('east')
    near = await west.node('n1')
    far = await east.node('n1')
    await west.joinTo(east)
    await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
    await far.endpoint({ service: 'private', name: 'nse-private', cidr: '172.16.2.0/24' })
    await east.export('files')
  })
  afterAll(() => sandbox.close())

  it('joins a client to an exported service of the other domain', async () => {
    const client = await near.workload()
    const wire = await client.request('kernel://files@east/nsm-1')
    expect(wire).toMatchObject({ networkService: 'files@east', endpointName: 'nse-files@east', payload: 'IP' })
    expect(wire.path.segments.map(({ name }) => name)).toEqual(['client', 'n1', 'n1', 'nse-files'])
    expect([near.engine.crossConnects.size, far.engine.crossConnects.size]).toEqual([1, 1])
    const again = await client.refresh(wire)
    expect(again.context).toEqual(wire.context)
    await client.closeWire(again)
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
  })

  it('takes a wire between domains up again after a restart of either node, without touching it', async () => {
    const client = await near.workload()
    const wire = await client.request('kernel://files@east/nsm-1')
    for (const node of [near, far]) {
      const before = node.writes.length
      await node.stop()
      await node.start()
      const again = await client.refreshPatiently(wire)
      expect(again.context).toEqual(wire.context)
      expect(node.writes).toHaveLength(before)
    }
    await client.closeWire(wire)
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
  })

  it('knows nothing of a service that is not exported', async () => {
    const client = await near.workload()
    await expect(client.request('kernel://private@east/nsm-1')).rejects.toMatchObject({ code: 'not_found' })
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
  })

  it('ends the wires of a service that is no longer exported, within a second', async () => {
    const client = await near.workload()
    const wire = await client.request('kernel://files@east/nsm-1')
    const startMs = performance.now()
    await east.unexport('files')
    await until('the wire to be gone', () => far.engine.ports.size === 0, 10_000)
    expect(performance.now() - startMs).toBeLessThan(1_000)
    await expect(client.refresh(wire)).rejects.toMatchObject({ code: 'permission_denied' })
    await client.closeWire(wire)
    await east.export('files')
  })

  it('ends the wires of a domain that is revoked, on both sides, and serves it no more', async () => {
    const client = await near.workload()
    const wire = await client.request('kernel://files@east/nsm-1')
    await east.revoke('west')
    await until('the wire to be gone in east', () => far.engine.ports.size === 0, 10_000)
    await until('the wire to be gone in west', () => near.engine.ports.size === 0, 10_000)
    await expect(client.refresh(wire)).rejects.toBeInstanceOf(Error)
    expect(far.engine.ports.size).toBe(0)
    await expect(client.request('kernel://files@east/nsm-2')).rejects.toBeInstanceOf(Error)
  })
})
