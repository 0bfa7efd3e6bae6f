import { beforeAll, expect, test } from 'vitest'
import { type Call, type Connection, type ConnectionRequest, emptyContext } from '../api/index.ts'
import { silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import {
  Authority,
  createAuthorityMaterial,
  type Identity,
  issueIdentity,
  staticSource,
  TokenMinter,
} from '../identity/index.ts'
import { PointToPointIpam, parseGroups } from '../ipam/index.ts'
import { COUNTED_FOR } from '../steps/index.ts'
import { EndpointServer } from './index.ts'

const clock = new FakeClock(Date.now())
let node: Identity
let other: Identity
let own: Identity

beforeAll(async () => {
  const authority = new Authority(await createAuthorityMaterial('west', clock), clock)
  const issue = (path: string) => issueIdentity(authority, { spiffeId: `spiffe://west/${path}` })
  node = await issue('node/west-1')
  other = await issue('node/west-2')
  own = await issue('node/west-1/uid/1000')
})

function server(prefixes = '172.16.1.100/31') {
  const ipam = new PointToPointIpam(parseGroups(prefixes))
  const minter = new TokenMinter(clock)
  const options = {
    name: 'nse-1',
    services: ['files'],
    ipam,
    identity: staticSource(own),
    minter,
    maxLifetimeMs: 600_000,
    unsigned: 'upstream' as const,
    clock,
    logger: silentLogger,
  }
  return new EndpointServer(options)
}

function callOf(caller: Identity, { audience = own.svid.spiffeId, id = 'c-1' } = {}): Call {
  const peer = { spiffeId: caller.svid.spiffeId, chain: caller.svid.chain, attestation: undefined }
  const token = new TokenMinter(clock).token(caller.svid, audience, { connection: id, service: 'files' })
  return { peer, token, signal: new AbortController().signal }
}

function request(id = 'c-1', change: Partial<Connection> = {}): ConnectionRequest {
  const segments = [{ name: 'west-1', id, token: '', expiresMs: undefined, metrics: {} }]
  const connection: Connection = {
    id,
    networkService: 'files',
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index: 0, segments },
    endpointName: '',
    payload: 'IP',
    state: 'UP',
    ...change,
  }
  return { connection, mechanismPreferences: [{ cls: 'LOCAL', type: 'KERNEL', parameters: {} }] }
}

test('EndpointServer gives .100 to itself, .101 to the client, and the caller its own view of the path', async () => {
  const endpoint = server()
  const answer = await endpoint.request(request(), callOf(node))
  expect(answer).toMatchObject({ id: 'c-1', endpointName: 'nse-1', mechanism: { type: 'KERNEL' } })
  expect(answer.context.ip).toMatchObject({ srcIpAddrs: ['172.16.1.101/32'], dstIpAddrs: ['172.16.1.100/32'] })
  expect(answer.path.index).toBe(0)
  expect(answer.path.segments.map(({ name }) => name)).toEqual(['west-1', 'nse-1'])
  expect(answer.path.segments.every(({ token, expiresMs }) => token !== '' && expiresMs !== undefined)).toBe(true)
  endpoint.stop()
})

test('EndpointServer answers a refresh with the same addresses, ids and interface', async () => {
  const endpoint = server()
  const first = await endpoint.request(request(), callOf(node))
  const again = await endpoint.request({ connection: first, mechanismPreferences: [] }, callOf(node))
  expect(again.context).toEqual(first.context)
  expect(again.mechanism).toEqual(first.mechanism)
  expect(again.path.segments.map(({ id }) => id)).toEqual(first.path.segments.map(({ id }) => id))
  expect(endpoint.connections).toBe(1)
  endpoint.stop()
})

test('EndpointServer counts leases for whom its node does, and tells nobody', async () => {
  const endpoint = server('172.16.1.0/28') // 8 leases: 6 for one client, 7 for one node
  const ask = (id: string, account: string) => {
    const context = { ...emptyContext, extra: { [COUNTED_FOR]: account, other: 'x' } }
    return endpoint.request(request(id, { context }), callOf(node, { id }))
  }
  for (let at = 0; at < 6; at += 1) expect((await ask(`a-${at}`, 'uid/1000')).context.extra).toEqual({ other: 'x' })
  const refused = { code: 'resource_exhausted', fields: { holder: 'uid/1000' } }
  await expect(ask('a-6', 'uid/1000')).rejects.toMatchObject(refused)
  await ask('b-0', 'uid/2000')
  endpoint.stop()
})

test('EndpointServer leases again what a closed or expired connection had', async () => {
  const endpoint = server()
  const first = await endpoint.request(request('c-1'), callOf(node))
  await expect(endpoint.request(request('c-2'), callOf(node, { id: 'c-2' }))).rejects.toMatchObject({
    code: 'resource_exhausted',
  })
  await endpoint.close(first, callOf(node))
  expect((await endpoint.request(request('c-2'), callOf(node, { id: 'c-2' }))).context.ip.srcIpAddrs).toEqual([
    '172.16.1.101/32',
  ])
  await clock.advance(11 * 60_000)
  expect(endpoint.connections).toBe(0)
  expect((await endpoint.request(request('c-3'), callOf(node, { id: 'c-3' }))).context.ip.srcIpAddrs).toEqual([
    '172.16.1.101/32',
  ])
  endpoint.stop()
  expect(clock.pending).toBe(0)
})

test.each([
  ['another service', () => request('c', { networkService: 'mail' }), () => callOf(node), 'not_found'],
  ['no token', () => request(), () => ({ ...callOf(node), token: undefined }), 'unauthenticated'],
  [
    'a token for somebody else',
    () => request(),
    () => callOf(node, { audience: 'spiffe://west/node/west-9' }),
    'unauthenticated',
  ],
  ['the token of another', () => request(), () => ({ ...callOf(node), token: callOf(other).token }), 'unauthenticated'],
  [
    'a mechanism that it has not',
    () => ({ ...request(), mechanismPreferences: [{ cls: 'LOCAL', type: 'MEMIF', parameters: {} }] }),
    () => callOf(node),
    'invalid_argument',
  ],
  [
    'a path that does not fit',
    () => request('c', { path: { index: 3, segments: [] } }),
    () => callOf(node),
    'unauthenticated',
  ],
])('EndpointServer refuses %s and keeps nothing', async (_, asked, call, code) => {
  const endpoint = server()
  await expect(endpoint.request(asked(), call())).rejects.toMatchObject({ code })
  expect(endpoint.connections).toBe(0)
})

test('EndpointServer lets nobody but the opener refresh or close a connection', async () => {
  const endpoint = server('172.16.1.0/24')
  const first = await endpoint.request(request(), callOf(node))
  const stolen = { connection: first, mechanismPreferences: [] }
  await expect(endpoint.request(stolen, callOf(other))).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(endpoint.close(first, callOf(other))).rejects.toMatchObject({ code: 'permission_denied' })
  expect(endpoint.connections).toBe(1)
  endpoint.stop()
})
