import { describe, expect, it } from 'vitest'
import { attestationOf } from '../api/testing/index.ts'
import { NsmError } from '../base/index.ts'
import { COUNTED_FOR } from '../steps/index.ts'
import {
  attestedIn,
  CLIENT_NAMESPACE,
  ENDPOINT_NAMESPACE,
  firstRequest,
  HOST_NAMESPACE,
  kernel,
  refreshOf,
  TestEndpoint,
  TestNode,
  TOKEN_MS,
} from './testing/test-node.ts'

function localNode() {
  const endpoint = new TestEndpoint()
  const node = new TestNode({ connect: () => endpoint.hop() })
  node.serve('files', 'nse-a')
  return { node, endpoint }
}

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('a request for a service on the same node', () => {
  it('is answered in the view of the client, with the whole path', async () => {
    const { node } = localNode()
    const answer = await node.service.request(firstRequest('files'), node.call())
    expect(answer).toMatchObject({
      id: 'client-0',
      endpointName: 'nse-a',
      payload: 'IP',
      state: 'UP',
      path: { index: 0 },
    })
    expect(answer.path.segments.map(({ name }) => name)).toEqual(['client', 'n1', 'nse'])
    expect(answer.mechanism).toEqual(kernel({ inodeURL: CLIENT_NAMESPACE, name: 'nsm-1' }))
    expect(answer.path.segments[1]?.token).toBe('n1 to spiffe://west/node/n1/uid/1000')
  })

  it('becomes a wire between the two attested namespaces', async () => {
    const { node } = localNode()
    await node.service.request(firstRequest('files'), node.call())
    const [intent] = node.intents.values()
    expect(intent).toMatchObject({
      payload: 'IP',
      mtuBytes: 9000,
      client: { kind: 'kernel', namespace: CLIENT_NAMESPACE, interfaceName: 'nsm-1', addresses: ['172.16.1.101/32'] },
      server: { kind: 'kernel', namespace: ENDPOINT_NAMESPACE, interfaceName: 'nse-1', addresses: ['172.16.1.100/32'] },
      clientPrefixes: ['172.16.1.101/32', '172.16.1.101/32'],
      serverPrefixes: ['172.16.1.100/32', '172.16.1.100/32'],
    })
  })

  it('keeps ids, names and the wire on a refresh', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files', kernel()), node.call())
    const again = await node.service.request(refreshOf(first), node.call())
    expect(again).toEqual(first)
    expect(node.established).toHaveLength(2)
    expect(node.established[1]).toEqual(node.established[0])
    expect(endpoint.live.size).toBe(1)
  })

  it('is the same connection when the client has lost the answer and asks anew', async () => {
    const { node } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    const again = await node.service.request(firstRequest('files'), node.call())
    expect(again.path.segments[1]?.id).toBe(first.path.segments[1]?.id)
    expect(node.intents.size).toBe(1)
  })

  it('is another connection for a client of the same name in another namespace', async () => {
    const { node } = localNode()
    await node.service.request(firstRequest('files'), node.call())
    await node.service.request(firstRequest('files'), node.call({ attestation: attestedIn('inode://4/303') }))
    expect(node.intents.size).toBe(2)
  })

  it('is refused to a second program of the same name while the first is there, and then taken over by it', async () => {
    const { node } = localNode()
    let isConnected = true
    const connected = (pid: number, connectionId: bigint) =>
      attestationOf({ namespace: CLIENT_NAMESPACE, pid, connectionId })
    await node.service.request(
      firstRequest('files'),
      node.call({ attestation: connected(5, 1n), isConnected: () => isConnected }),
    )
    const request = async () =>
      node.service.request(firstRequest('files'), node.call({ attestation: connected(6, 2n) }))
    await expect(request()).rejects.toMatchObject({
      code: 'already_exists',
      fields: { name: 'client', pid: 5 },
      next: expect.stringContaining('NSM_NAME'),
    })
    await node.service.request(
      firstRequest('files'),
      node.call({ attestation: connected(5, 3n), isConnected: () => isConnected }),
    )
    expect(node.established).toHaveLength(2)
    isConnected = false
    await request()
    expect(node.intents.size).toBe(1)
  })

  it('says on which node the client is', async () => {
    const { node, endpoint } = localNode()
    await node.service.request(firstRequest('files'), node.call())
    expect(endpoint.asked[0]?.connection.labels).toEqual({ nodeName: 'n1' })
  })

  it('is counted for whom the kernel says, whatever the client says of it', async () => {
    const { node, endpoint } = localNode()
    const asked = firstRequest('files')
    const context = { ...asked.connection.context, extra: { [COUNTED_FOR]: 'uid/9', mine: 'x' } }
    const connection = { ...asked.connection, context }
    const attestation = attestationOf({ namespace: CLIENT_NAMESPACE, uid: 100_001, account: 'uid/1000' })
    await node.service.request({ ...asked, connection }, node.call({ attestation }))
    expect(endpoint.asked[0]?.connection.context.extra).toEqual({ [COUNTED_FOR]: 'uid/1000', mine: 'x' })
  })
})

describe('a request that must not be served', () => {
  it.each([
    [
      'names another namespace',
      kernel({ inodeURL: 'inode://4/999' }),
      CLIENT_NAMESPACE,
      /not the namespace of the caller/,
    ],
    [
      'names a file of its choice',
      kernel({ inodeURL: 'file:///proc/1/ns/net' }),
      CLIENT_NAMESPACE,
      /not the namespace/,
    ],
    ['comes from the node itself', kernel(), HOST_NAMESPACE, /own namespace is never joined/],
  ])('is refused when it %s', async (_claim, mechanism, namespace, message) => {
    const { node, endpoint } = localNode()
    const request = node.service.request(
      firstRequest('files', mechanism),
      node.call({ attestation: attestedIn(namespace) }),
    )
    await expect(request).rejects.toEqual(refused('permission_denied', message))
    expect([node.intents.size, node.records.records.size, endpoint.asked.length]).toEqual([0, 0, 0])
  })

  it.each([
    [
      'an interface name that is too long',
      kernel({ name: 'sixteen-letters-' }),
      'invalid_argument',
      /longer than 15 bytes/,
    ],
    [
      'a mechanism that we do not have',
      { cls: 'LOCAL', type: 'MEMIF', parameters: {} },
      'invalid_argument',
      /any of the requested/,
    ],
  ])('is refused for %s', async (_claim, mechanism, code, message) => {
    const { node } = localNode()
    await expect(node.service.request(firstRequest('files', mechanism), node.call())).rejects.toEqual(
      refused(code, message),
    )
  })

  it('is refused when it carries no token', async () => {
    const { node } = localNode()
    const request = node.service.request(firstRequest('files'), { ...node.call(), token: undefined })
    await expect(request).rejects.toEqual(refused('unauthenticated', /no path token/))
  })

  it('is refused over the network from anybody but a node', async () => {
    const { node } = localNode()
    const call = node.call({ spiffeId: 'spiffe://west/node/n2/uid/0', attestation: undefined })
    await expect(node.service.request(firstRequest('files'), call)).rejects.toEqual(
      refused('permission_denied', /no sufficient/),
    )
  })

  it("is refused for another client's connection", async () => {
    const { node } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    const thief = node.call({ spiffeId: 'spiffe://west/node/n1/uid/1001' })
    const denied = refused('permission_denied', /belongs to another client/)
    await expect(node.service.request(refreshOf(first), thief)).rejects.toEqual(denied)
    await expect(node.service.close(first, thief)).rejects.toEqual(denied)
    expect(node.intents.size).toBe(1)
  })
})

describe('a request that fails', () => {
  it('says that a service does not exist', async () => {
    const { node } = localNode()
    await expect(node.service.request(firstRequest('nothing'), node.call())).rejects.toEqual(refused('not_found', /./))
  })

  it('leaves nothing at the endpoint when the wire cannot be made', async () => {
    const { node, endpoint } = localNode()
    node.forwardingRefusal = new NsmError('already_exists', 'Cannot create the link: its name is taken')
    await expect(node.service.request(firstRequest('files'), node.call())).rejects.toBe(node.forwardingRefusal)
    expect([endpoint.live.size, node.records.records.size]).toEqual([0, 0])
  })

  it('leaves nothing when the endpoint routes what no wire may carry', async () => {
    const { node, endpoint } = localNode()
    endpoint.srcRoute = '169.254.169.254/32'
    await expect(node.service.request(firstRequest('files'), node.call())).rejects.toEqual(
      refused('invalid_argument', /link-local/),
    )
    expect([endpoint.live.size, node.intents.size]).toEqual([0, 0])
  })

  it('leaves the old wire as it was when a refresh is refused, and says that it is down', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    endpoint.refusal = new NsmError('permission_denied', 'Cannot serve you any longer')
    await expect(node.service.request(refreshOf(first), node.call())).rejects.toBe(endpoint.refusal)
    expect([...node.table.all()][0]?.connection.state).toBe('DOWN')
    expect([node.intents.size, endpoint.live.size]).toEqual([1, 1])
  })

  it('goes to the next endpoint when one refuses, and remembers who does not answer', async () => {
    const [away, here] = [new TestEndpoint(), new TestEndpoint()]
    const node = new TestNode({ connect: ({ endpoint }) => (endpoint === 'nse-a' ? away : here).hop() })
    node.serve('files', 'nse-a')
    node.serve('files', 'nse-b')
    away.refusal = new NsmError('unavailable', 'Cannot reach the endpoint')
    const chosen: string[] = []
    for (const id of ['c1', 'c2', 'c3']) {
      const { connection, mechanismPreferences } = firstRequest('files')
      const segments = connection.path.segments.map((segment) => ({ ...segment, id }))
      const request = { connection: { ...connection, id, path: { index: 0, segments } }, mechanismPreferences }
      chosen.push((await node.service.request(request, node.call())).endpointName)
    }
    expect(chosen).toEqual(['nse-b', 'nse-b', 'nse-b'])
    expect(away.asked).toHaveLength(1)
  })

  it('speaks of all candidates when all refuse', async () => {
    const endpoint = new TestEndpoint()
    const node = new TestNode({ connect: () => endpoint.hop() })
    node.serve('files', 'nse-a')
    node.serve('files', 'nse-b')
    endpoint.refusal = new NsmError('resource_exhausted', 'Cannot give an address: the pool is empty')
    const request = node.service.request(firstRequest('files'), node.call())
    await expect(request).rejects.toEqual(refused('resource_exhausted', /all candidates have failed/))
  })
})

describe('the end of a connection', () => {
  it('removes the wire, the far end and the record, however often it is asked for', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    await node.service.close(first, node.call())
    await node.service.close(first, node.call())
    expect([node.intents.size, endpoint.live.size, node.records.records.size]).toEqual([0, 0, 0])
  })

  it('comes when the client has not refreshed in time', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    await node.clock.advance(TOKEN_MS - 1000)
    await node.service.request(refreshOf(first), node.call())
    await node.clock.advance(TOKEN_MS - 1000)
    expect(node.intents.size).toBe(1)
    await node.clock.advance(2000)
    expect([node.intents.size, endpoint.live.size, node.clock.pending]).toEqual([0, 0, 0])
  })

  it('is followed by a new one when the client wants another endpoint', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    const anew = { ...first, state: 'RESELECT_REQUESTED' as const, endpointName: '', mechanism: undefined }
    const again = await node.service.request({ ...firstRequest('files'), connection: anew }, node.call())
    expect(again.path.segments[1]?.id).toBe(first.path.segments[1]?.id)
    expect([node.intents.size, endpoint.live.size]).toEqual([1, 1])
  })
})

describe('a restarted node', () => {
  it('serves refresh, close and expiry of connections from before', async () => {
    const { node, endpoint } = localNode()
    const first = await node.service.request(firstRequest('files'), node.call())
    await node.service.shutdown()
    const restarted = new TestNode({ connect: () => endpoint.hop(), records: node.records, clock: node.clock })
    restarted.isRegistryAway = true
    expect(await restarted.service.request(refreshOf(first), restarted.call())).toEqual(first)
    expect(restarted.established).toEqual(node.established)
    await restarted.clock.advance(TOKEN_MS + 1)
    expect([endpoint.live.size, restarted.records.records.size]).toEqual([0, 0])
  })

  it('gives clients a minute to refresh what has expired while it was away', async () => {
    const { node, endpoint } = localNode()
    await node.service.request(firstRequest('files'), node.call())
    await node.service.shutdown()
    await node.clock.advance(TOKEN_MS * 2)
    const restarted = new TestNode({ connect: () => endpoint.hop(), records: node.records, clock: node.clock })
    await restarted.clock.advance(59_000)
    expect(restarted.records.records.size).toBe(1)
    await restarted.clock.advance(2_000)
    expect(restarted.records.records.size).toBe(0)
  })
})
