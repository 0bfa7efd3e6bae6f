import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Call,
  type Connection,
  type ConnectionEvent,
  type EndpointRegistryServer,
  emptyContext,
  healthV1,
  MAX_MESSAGE_BYTES,
  type NetworkServiceEndpoint,
} from '../api/index.ts'
import { NsmError, silentLogger, systemClock } from '../base/index.ts'
import { type Authority, parseToken, verifyPathTokens } from '../identity/index.ts'
import { clientOf } from './client.ts'
import { Health } from './health.ts'
import type { Service } from './implement.ts'
import { endpointRegistryClient, monitorClient, networkServiceClient } from './nsm-clients.ts'
import { endpointRegistryService, networkService } from './nsm-services.ts'
import { serve } from './serve.ts'
import {
  connection,
  echoService,
  eventService,
  newAuthority,
  newSource,
  openChannel,
  request,
  soon,
  startServer,
} from './testing/rpc-fixture.ts'

let authority: Authority

beforeAll(async () => {
  authority = await newAuthority()
})

async function open(services: readonly Service[]) {
  const server = await startServer({ security: { identity: await newSource(authority, 'server') }, services })
  const channel = openChannel(server.url, { security: { identity: await newSource(authority, 'client') } })
  return { server, channel }
}

describe('a call', () => {
  it('that fails returns the code, the reason and the hint', async () => {
    const { channel } = await open([
      networkService({
        async request() {
          throw new NsmError('not_found', 'Cannot find the network service', {
            fields: { service: 'db' },
            next: 'Look',
          })
        },
        async close() {
          throw new TypeError('secret detail')
        },
      }),
    ])
    const client = networkServiceClient(channel)
    await expect(client.request(request, soon())).rejects.toMatchObject({
      code: 'not_found',
      message: 'Cannot find the network service (service=db)',
      next: 'Look',
    })
    await expect(client.close(connection, soon())).rejects.toMatchObject({
      code: 'internal',
      message: 'Cannot handle the call: internal error',
    })
  })

  it('that fails with half a character at the limit of the reason still returns it', async () => {
    const message = `${'x'.repeat(2047)}\u{1f642}`
    const { channel } = await open([
      networkService({
        async request() {
          throw new NsmError('not_found', message)
        },
        async close() {},
      }),
    ])
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('with an invalid message is refused with the name of the field', async () => {
    const { calls, service } = echoService()
    const { channel } = await open([service])
    const path = { index: 3, segments: [] }
    const sent = networkServiceClient(channel).request({ ...request, connection: { ...connection, path } }, soon())
    await expect(sent).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('field=connection.path.index'),
    })
    expect(calls).toEqual([])
  })

  it('with bytes that are not protobuf is refused', async () => {
    const { service } = echoService()
    const { channel } = await open([service])
    const { client, release } = channel.lease()
    const bytes = Buffer.from([0x0a, 0xff, 0xff])
    const code = await new Promise((resolve) => {
      const asIs = (value: Buffer) => value
      client.makeUnaryRequest('/networkservice.NetworkService/Request', asIs, asIs, bytes, (error) =>
        resolve(error?.code),
      )
    })
    release()
    expect(code).toBe(3)
  })

  it('with a message over the limit is refused', async () => {
    const { service } = echoService()
    const { channel } = await open([service])
    const { client, release } = channel.lease()
    const bytes = Buffer.alloc(MAX_MESSAGE_BYTES + 1)
    const code = await new Promise((resolve) => {
      const asIs = (value: Buffer) => value
      client.makeUnaryRequest('/networkservice.NetworkService/Request', asIs, asIs, bytes, (error) =>
        resolve(error?.code),
      )
    })
    release()
    expect(code).toBe(8)
  })

  it('that is aborted is cancelled at the server and ends with the reason of its signal', async () => {
    const entered = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const { channel } = await open([
      networkService({
        request: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            entered.resolve()
            signal.addEventListener('abort', () => {
              aborted.resolve()
              reject(signal.reason)
            })
          }),
        async close() {},
      }),
    ])
    const reason = new NsmError('deadline_exceeded', 'Cannot wait any longer')
    const stop = new AbortController()
    const sent = networkServiceClient(channel).request(request, { signal: stop.signal })
    await entered.promise
    stop.abort(reason)
    await expect(sent).rejects.toBe(reason)
    await aborted.promise
    expect(channel.calls).toBe(0)
  })

  it('to an address on which nobody listens fails immediately as unavailable', async () => {
    const channel = openChannel('tcp://127.0.0.1:1', { security: { identity: await newSource(authority, 'client') } })
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({ code: 'unavailable' })
    await expect(channel.peer(soon().signal)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a stream', () => {
  it('ends at the server when its reader stops', async () => {
    const event: ConnectionEvent = { type: 'UPDATE', connections: new Map([['c-1', connection]]) }
    const { state, service } = eventService([event, event])
    const { channel } = await open([service])
    for await (const got of monitorClient(channel).monitor({ pathSegments: [], networkServices: [] }, soon())) {
      expect(got).toEqual(event)
      break
    }
    await expect.poll(() => state.open).toBe(0)
    expect(channel.calls).toBe(0)
  })

  it('splits a state larger than a message into one transfer and updates', async () => {
    const labels = { note: 'x'.repeat(4000) }
    const many = new Map<string, Connection>()
    for (let i = 0; i < 200; i += 1) many.set(`c-${i}`, { ...connection, id: `c-${i}`, labels, context: emptyContext })
    const { service } = eventService([{ type: 'INITIAL_STATE_TRANSFER', connections: many }])
    const { channel } = await open([service])
    const got = new Map<string, Connection>()
    const types: string[] = []
    for await (const event of monitorClient(channel).monitor({ pathSegments: [], networkServices: [] }, soon())) {
      types.push(event.type)
      for (const [id, one] of event.connections) got.set(id, one)
      if (got.size === many.size) break
    }
    expect(got).toEqual(many)
    expect(types[0]).toBe('INITIAL_STATE_TRANSFER')
    expect(types.length).toBeGreaterThan(2)
    expect(new Set(types.slice(1))).toEqual(new Set(['UPDATE']))
  })
})

describe('a registration', () => {
  const endpoint: NetworkServiceEndpoint = {
    name: 'nse-1',
    networkServiceNames: ['db'],
    networkServiceLabels: new Map([['db', { app: 'x' }]]),
    url: 'unix:///run/nse.sock',
    expiresMs: 1_900_000_000_000,
    registeredMs: undefined,
    pathIds: [],
  }

  function registry(onRegister: (call: Call) => Promise<void>): EndpointRegistryServer {
    return {
      async register(value, call) {
        await onRegister(call)
        return value
      },
      async *find({ endpoint: { name } }) {
        if (name === endpoint.name) yield { value: endpoint, deleted: false }
      },
      async unregister() {},
    }
  }

  it('carries the tokens of its whole path, each verified with its signer', async () => {
    const seen: Call[] = []
    const registryServer = await open([endpointRegistryService(registry(async (call) => void seen.push(call)))])
    const upstream = endpointRegistryClient(registryServer.channel)
    const nodes = await newSource(authority, 'client')
    const node = await startServer({
      security: { identity: nodes },
      services: [
        endpointRegistryService(
          registry(async (call) => void (await upstream.register(endpoint, { signal: call.signal, path: call.path }))),
        ),
      ],
    })
    const channel = openChannel(node.url, { security: { identity: await newSource(authority, 'endpoint') } })
    await expect(endpointRegistryClient(channel).register(endpoint, soon())).resolves.toEqual(endpoint)
    const [call] = seen
    const tokens = call?.path?.tokens ?? []
    expect(tokens.map((token) => parseToken(token).subject)).toEqual([
      'spiffe://east/endpoint',
      'spiffe://east/client',
      'spiffe://east/server',
    ])
    expect(call?.path?.index).toBe(2)
    const { bundles } = nodes.current()
    const segments = tokens.slice(0, 2).map((token) => ({ id: '', token }))
    const check = { segments, peerIndex: 1, audience: 'spiffe://east/server', bundles }
    expect(() => verifyPathTokens({ ...check, peer: call!.peer, nowMs: Date.now() })).not.toThrow()
  })

  it('is found by a query with only some fields set', async () => {
    const { channel } = await open([endpointRegistryService(registry(async () => {}))])
    const found = []
    const query = { endpoint: { name: 'nse-1' }, watch: false }
    for await (const one of endpointRegistryClient(channel).find(query, soon())) found.push(one)
    expect(found).toEqual([{ value: endpoint, deleted: false }])
  })
})

describe('health', () => {
  it('answers for a service and reports each change', async () => {
    const health = new Health()
    health.set('nsm', false)
    const { channel } = await open([health.service()])
    const client = clientOf(healthV1.HealthService, channel)
    await expect(client.check({ service: 'nsm' }, soon())).resolves.toEqual({ status: 2 })
    await expect(client.check({ service: 'x' }, soon())).rejects.toMatchObject({ code: 'not_found' })
    const watch = client.watch({ service: 'nsm' }, soon())[Symbol.asyncIterator]()
    await expect(watch.next()).resolves.toMatchObject({ value: { status: 2 } })
    health.set('nsm', true)
    await expect(watch.next()).resolves.toMatchObject({ value: { status: 1 } })
    await watch.return?.()
  })
})

describe('serve', () => {
  it('reports an address in use', async () => {
    const { server } = await open([])
    const again = { listen: server.url, services: [], clock: systemClock, logger: silentLogger }
    const identity = await newSource(authority, 'server')
    await expect(serve({ ...again, security: { identity } })).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  it('refuses to serve plaintext on TCP', async () => {
    const options = { listen: 'tcp://127.0.0.1:0', services: [], clock: systemClock, logger: silentLogger }
    await expect(serve({ ...options, security: 'plaintext' })).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
