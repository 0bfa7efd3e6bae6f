import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

describe('one domain', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let near: SandboxNode
  let far: SandboxNode

  beforeAll(async () => {
    west = await sandbox.domain('west')
    near = await west.node('n1')
    far = await west.node('n2')
  })
  afterAll(() => sandbox.close())

  it('joins a client and an endpoint of the same node by a veth pair', async () => {
    const endpoint = await near.endpoint({ service: 'same-node', name: 'nse-same', cidr: '172.16.1.100/31' })
    const client = await near.workload()
    const wire = await client.request('kernel://same-node/nsm-1')
    expect(wire.path.segments.map(({ name }) => name)).toEqual(['client', 'n1', 'nse-same'])
    expect(wire.context.ip).toMatchObject({ srcIpAddrs: ['172.16.1.101/32'], dstIpAddrs: ['172.16.1.100/32'] })
    expect(near.links(client.namespace)).toEqual(['nsm-1'])
    expect(near.links(endpoint.namespace)).toHaveLength(1)
    expect(near.engine.crossConnects.size).toBe(0)
    await client.closeWire(wire)
    expect([near.links(client.namespace), near.links(endpoint.namespace)]).toEqual([[], []])
    expect(endpoint.server.connections).toBe(0)
  })

  it('joins a client and an endpoint of two nodes by an encrypted wire, and takes both ends away again', async () => {
    const endpoint = await far.endpoint({ service: 'other-node', name: 'nse-other', cidr: '172.16.2.100/31' })
    const client = await near.workload()
    const wire = await client.request('kernel://other-node/nsm-1')
    expect(wire.path.segments.map(({ name }) => name)).toEqual(['client', 'n1', 'n2', 'nse-other'])
    expect(wire.context.mtuBytes).toBe(1440)
    expect([near.engine.crossConnects.size, far.engine.crossConnects.size]).toEqual([1, 1])
    expect(near.links(client.namespace)).toEqual(['nsm-1'])
    await client.closeWire(wire)
    expect([near.engine.ports.size, far.engine.ports.size, endpoint.server.connections]).toEqual([0, 0, 0])
  })

  it('changes nothing on a refresh', async () => {
    await far.endpoint({ service: 'refreshed', name: 'nse-refreshed', cidr: '172.16.3.100/31' })
    const client = await near.workload()
    const wire = await client.request('kernel://refreshed/nsm-1')
    const before = [near.writes.length, far.writes.length]
    const again = await client.refresh(wire)
    expect([near.writes.length, far.writes.length]).toEqual(before)
    expect({ ...again, path: ids(again) }).toEqual({ ...wire, path: ids(wire) })
    await client.closeWire(again)
  })

  it('ends a wire whose client has fallen silent', async () => {
    const endpoint = await far.endpoint({ service: 'silent', name: 'nse-silent', cidr: '172.16.4.100/31' })
    const client = await near.workload(1000, 2_500)
    await client.request('kernel://silent/nsm-1')
    expect(near.engine.crossConnects.size).toBe(1)
    await until('both ends to be gone', () => near.engine.ports.size + far.engine.ports.size === 0, 10_000)
    await until('the endpoint to have its address back', () => endpoint.server.connections === 0, 10_000)
  })

  it.each([
    ['a service that does not exist', 'kernel://nothing/nsm-1', 'not_found', /network service/],
    ['a domain that is not joined', 'kernel://files@nowhere/nsm-1', 'not_found', /nowhere|domain/],
    ['a name that is too long', 'kernel://same-node/sixteen-letters-', 'invalid_argument', /longer than 15 bytes/],
  ])('says what is wrong with %s, and leaves nothing', async (_what, url, code, message) => {
    const client = await near.workload()
    const before = near.writes.length
    const request = (async () => client.request(url))()
    await expect(request).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect([near.writes.length, near.engine.ports.size]).toEqual([before, 0])
  })

  it('passes on what the endpoint refuses, and leaves nothing on either node', async () => {
    await far.endpoint({ service: 'full', name: 'nse-full', cidr: '172.16.5.100/31' })
    const [first, second] = [await near.workload(), await near.workload()]
    const wire = await first.request('kernel://full/nsm-1')
    const before = [near.writes.length, far.writes.length]
    await expect(second.request('kernel://full/nsm-1')).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect([near.writes.length, far.writes.length]).toEqual(before)
    await first.closeWire(wire)
  })

  it('leaves nothing anywhere when the interface is taken, and does not touch what has it', async () => {
    const endpoint = await far.endpoint({ service: 'taken', name: 'nse-taken', cidr: '172.16.6.100/31' })
    const client = await near.workload()
    near.kernel.addDevice(client.namespace, 'nsm-1', 'dummy')
    await expect(client.request('kernel://taken/nsm-1')).rejects.toMatchObject({ code: 'already_exists' })
    await until(
      'the far half to be gone',
      () => far.engine.ports.size === 0 && endpoint.server.connections === 0,
      10_000,
    )
    expect([near.links(client.namespace), near.engine.ports.size]).toEqual([['nsm-1'], 0])
  })

  it('answers as before while the registry is away, for what it knows', async () => {
    await far.endpoint({ service: 'known', name: 'nse-known', cidr: '172.16.7.0/24' })
    const [first, second] = [await near.workload(), await near.workload()]
    const wire = await first.request('kernel://known/nsm-1')
    await west.stop()
    try {
      const again = await first.refresh(wire)
      const other = await second.request('kernel://known/nsm-1')
      await expect(second.request('kernel://unknown/nsm-2')).rejects.toMatchObject({ code: 'unavailable' })
      await first.closeWire(again)
      await second.closeWire(other)
    } finally {
      await west.start()
    }
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
  })

  it('takes its wires up again after a restart, without touching them', async () => {
    await far.endpoint({ service: 'standing', name: 'nse-standing', cidr: '172.16.8.100/31' })
    const client = await near.workload()
    const wire = await client.request('kernel://standing/nsm-1')
    for (const node of [near, far]) {
      const before = node.writes.length
      await node.stop()
      await node.start()
      expect(node.writes).toHaveLength(before)
    }
    const again = await client.refreshPatiently(wire)
    expect(again.context).toEqual(wire.context)
    expect([near.engine.crossConnects.size, far.engine.crossConnects.size]).toEqual([1, 1])
    await client.closeWire(again)
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
  })

  it('shows an operator its state and wires, and closes one for him', async () => {
    await far.endpoint({ service: 'shown', name: 'nse-shown', cidr: '172.16.9.100/31' })
    const [client, root] = [await near.workload(), await near.operator()]
    const wire = await client.request('kernel://shown/nsm-1')
    const status = await root.node().status()
    expect(status).toMatchObject({
      name: 'n1',
      domain: 'west',
      spiffeId: 'spiffe://west/node/n1',
      wiresUp: 1,
      wiresDown: 0,
    })
    expect(status.conditions.map(({ name, problem }) => [name, problem])).toEqual([
      ['dataplane', ''],
      ['registry', ''],
      ['identity', ''],
      ['wires', ''],
    ])
    const { wires } = await root.node().wires()
    expect(wires).toMatchObject([
      {
        networkService: 'shown',
        endpoint: 'nse-shown',
        clientIdentity: 'spiffe://west/node/n1/uid/1000',
        client: { mechanism: 'KERNEL', interface: 'nsm-1', namespace: client.namespace },
        server: { mechanism: 'WIREGUARD', peer: '127.0.0.1:51820' },
        state: 'up',
        path: ['client', 'n1', 'n2', 'nse-shown'],
      },
    ])
    await expect(client.node().status()).rejects.toMatchObject({ code: 'permission_denied' })
    await root.node().close(wire.path.segments[1]?.id ?? '')
    expect([near.engine.ports.size, far.engine.ports.size]).toEqual([0, 0])
    await expect(root.node().close('no-such-wire')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('tells the client when the far node has lost its end', async () => {
    await far.endpoint({ service: 'lost', name: 'nse-lost', cidr: '172.16.10.100/31' })
    const [client, root] = [await near.workload(), await far.operator()]
    const wire = await client.request('kernel://lost/nsm-1')
    const told = client.monitor(wire, (said) => said === 'UPDATE DOWN')
    await root.node().close(wire.path.segments[2]?.id ?? '')
    expect(await told).toEqual(['INITIAL_STATE_TRANSFER UP', 'UPDATE DOWN'])
    await client.refresh(wire)
    expect(far.engine.crossConnects.size).toBe(1)
    await client.closeWire(wire)
  })

  it('expels a node: its wires end, and nobody answers it any more', async () => {
    const doomed = await west.node('n3')
    await far.endpoint({ service: 'guarded', name: 'nse-guarded', cidr: '172.16.11.100/31' })
    const client = await doomed.workload()
    const wire = await client.request('kernel://guarded/nsm-1')
    expect(far.engine.crossConnects.size).toBe(1)
    await west.revokeNode('n3')
    await until('the wire to be gone', () => far.engine.ports.size === 0, 10_000)
    await expect(client.refresh(wire)).rejects.toBeInstanceOf(Error)
    expect(far.engine.ports.size).toBe(0)
  })
})

function ids(connection: {
  readonly path: { readonly segments: readonly { readonly name: string; readonly id: string }[] }
}) {
  return connection.path.segments.map(({ name, id }) => `${name} ${id}`)
}
