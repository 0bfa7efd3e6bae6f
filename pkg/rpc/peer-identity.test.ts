import { type AddressInfo, connect, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { healthV1 } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { type Authority, staticSource } from '../identity/index.ts'
import { isRoutable } from '../net/index.ts'
import { clientOf } from './client.ts'
import { Health } from './health.ts'
import { monitorClient, networkServiceClient } from './nsm-clients.ts'
import { networkService } from './nsm-services.ts'
import {
  connection,
  echoService,
  eventService,
  newAuthority,
  newIdentity,
  newSource,
  openChannel,
  request,
  soon,
  startServer,
} from './testing/rpc-fixture.ts'

const MINUTE_MS = 60_000

let authority: Authority
const clock = new FakeClock()

beforeAll(async () => {
  authority = await newAuthority('east', clock)
})

async function mesh(options: { lifetimeMs?: number; isRevoked?: (spiffeId: string) => boolean } = {}) {
  const { calls, service } = echoService()
  const events = eventService([{ type: 'INITIAL_STATE_TRANSFER', connections: new Map() }])
  const { isRevoked = () => false, lifetimeMs = 60 * MINUTE_MS } = options
  const server = await startServer({
    security: { identity: await newSource(authority, 'server'), isRevoked },
    services: [service, events.service],
    clock,
  })
  const identity = staticSource(await newIdentity(authority, 'client', { lifetimeMs }))
  const channel = openChannel(server.url, { security: { identity }, clock })
  return { server, channel, calls, events, identity, client: networkServiceClient(channel) }
}

describe('a server', () => {
  it('identifies its caller by the certificate', async () => {
    const { client, calls, channel } = await mesh()
    await expect(client.request(request, soon())).resolves.toEqual(request.connection)
    expect(calls[0]?.peer.spiffeId).toBe('spiffe://east/client')
    expect(calls[0]?.peer.chain).toHaveLength(1)
    expect(calls[0]?.token?.expiresMs).toBe(clock.nowMs() + 10 * MINUTE_MS)
    expect((await channel.peer(soon().signal)).spiffeId).toBe('spiffe://east/server')
  })

  it('refuses an SVID that has expired during its connection, and ends its streams', async () => {
    const { client, channel, events } = await mesh({ lifetimeMs: 2 * MINUTE_MS })
    await client.request(request, soon())
    const watched = monitorClient(channel).monitor({ pathSegments: [], networkServices: [] }, soon())
    const stream = watched[Symbol.asyncIterator]()
    await stream.next()
    await clock.advance(2 * MINUTE_MS + 1)
    await expect(stream.next()).rejects.toBeInstanceOf(NsmError)
    await expect.poll(() => events.state.open).toBe(0)
    await expect(client.request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('Cannot verify the SVID: it has expired'),
    })
  })

  it('refuses the next call of a revoked identity on the same connection', async () => {
    let isRevoked = false
    const { client, calls } = await mesh({ isRevoked: () => isRevoked })
    await client.request(request, soon())
    isRevoked = true
    await expect(client.request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('revoked'),
    })
    expect(calls).toHaveLength(1)
  })

  it('ends the streams of a revoked identity on a recheck', async () => {
    let isRevoked = false
    const { server, channel } = await mesh({ isRevoked: () => isRevoked })
    const stream = monitorClient(channel)
      .monitor({ pathSegments: [], networkServices: [] }, soon())
      [Symbol.asyncIterator]()
    await stream.next()
    isRevoked = true
    server.recheck()
    await expect(stream.next()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('refuses a trust domain as soon as its bundle is removed', async () => {
    const west = await newAuthority('west', clock)
    const bundles = new Map([
      ['east', [authority.certificate]],
      ['west', [west.certificate]],
    ])
    const own = staticSource(await newIdentity(authority, 'server', { bundles }))
    const { service } = echoService()
    const server = await startServer({ security: { identity: own }, services: [service], clock })
    const identity = staticSource(await newIdentity(west, 'client', { bundles }))
    const client = networkServiceClient(openChannel(server.url, { security: { identity }, clock }))
    await client.request(request, soon())
    own.replace({ ...own.current(), bundles: new Map([['east', [authority.certificate]]]) })
    await expect
      .poll(() => client.request(request, soon()).catch((error: NsmError) => error.message))
      .toContain('its trust domain is not trusted')
  })

  it.each([
    ['another authority of the same name', async () => newIdentity(await newAuthority('east', clock), 'client')],
    ['an unknown trust domain', async () => newIdentity(await newAuthority('west', clock), 'client')],
  ])('refuses %s', async (_, obtain) => {
    const { service, calls } = echoService()
    const own = await newSource(authority, 'server')
    const server = await startServer({ security: { identity: own }, services: [service], clock })
    const identity = staticSource({ ...(await obtain()), bundles: own.current().bundles })
    const client = networkServiceClient(openChannel(server.url, { security: { identity }, clock }))
    await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(calls).toEqual([])
  })

  it('answers the call by which a stranger becomes a member, and closes its connection only then', async () => {
    const west = await newAuthority('west', clock)
    const own = await newSource(authority, 'server')
    const trustWest = () => {
      const bundles = new Map([...own.current().bundles, ['west', [west.certificate]]])
      own.replace({ ...own.current(), bundles })
    }
    const joining = networkService({
      async request({ connection }) {
        trustWest()
        return connection
      },
      async close() {},
    })
    const anonymousMethods = new Set(['/networkservice.NetworkService/Request'])
    const server = await startServer({ security: { identity: own, anonymousMethods }, services: [joining], clock })
    const bundles = new Map([['east', [authority.certificate]]])
    const identity = staticSource(await newIdentity(west, 'client', { bundles }))
    const client = networkServiceClient(openChannel(server.url, { security: { identity }, clock }))
    await expect(client.request(request, soon())).resolves.toMatchObject({ id: 'c-1' })
    await clock.advance(1001)
    const close = () => client.close(connection, soon()).then(() => 'served')
    await expect.poll(() => close().catch(() => 'refused')).toBe('served')
  })

  it('serves only anonymous methods to callers without a certificate', async () => {
    const health = new Health()
    health.set('', true)
    const { service } = echoService()
    const own = await newSource(authority, 'server')
    const anonymousMethods = new Set([healthV1.HealthService.check.path])
    const server = await startServer({
      security: { identity: own, anonymousMethods, sendAuthorities: true },
      services: [service, health.service()],
      clock,
    })
    const security = { authoritySha256: await sha256(authority.certificate) }
    const channel = openChannel(server.url, { security, clock })
    await expect(clientOf(healthV1.HealthService, channel).check({ service: '' }, soon())).resolves.toEqual({
      status: 1,
    })
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('no client certificate'),
    })
  })

  it('calls the authorize hook before the handler', async () => {
    const { service, calls } = echoService()
    const asked: string[] = []
    const server = await startServer({
      security: { identity: await newSource(authority, 'server') },
      services: [service],
      clock,
      authorize: (peer, path) => {
        asked.push(`${peer.spiffeId} ${path}`)
        throw new NsmError('permission_denied', 'Cannot allow this', { next: 'Ask the owner' })
      },
    })
    const security = { identity: await newSource(authority, 'client') }
    const client = networkServiceClient(openChannel(server.url, { security, clock }))
    await expect(client.request(request, soon())).rejects.toMatchObject({
      code: 'permission_denied',
      message: 'Cannot allow this',
      next: 'Ask the owner',
    })
    expect(asked).toEqual(['spiffe://east/client /networkservice.NetworkService/Request'])
    expect(calls).toEqual([])
  })

  it('limits a handshake to five seconds', async () => {
    const { server } = await mesh()
    const socket = connect(Number(server.url.split(':').at(-1)), '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')))
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write(Buffer.from([0x16]))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await clock.advance(5001)
    await expect(closed).resolves.toBe('closed')
  })

  it('requires TLS 1.3', async () => {
    const { server } = await mesh()
    const port = Number(server.url.split(':').at(-1))
    const socket = connectTls({ port, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false })
    await expect(new Promise((resolve) => socket.once('error', (error) => resolve(String(error))))).resolves.toMatch(
      /protocol version/i,
    )
  })
})

describe('a client', () => {
  it('refuses a server with an unexpected identity before it sends anything', async () => {
    const { service, calls } = echoService()
    const server = await startServer({
      security: { identity: await newSource(authority, 'server') },
      services: [service],
      clock,
    })
    const identity = await newSource(authority, 'client')
    const expectRegistry = (spiffeId: string) => spiffeId === 'spiffe://east/registry'
    const channel = openChannel(server.url, { security: { identity, expect: expectRegistry }, clock })
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('it has another identity than expected'),
    })
    expect(calls).toEqual([])
  })

  it('refuses a server with another authority', async () => {
    const other = await newAuthority('east', clock)
    const server = await startServer({ security: { identity: await newSource(other, 'server') }, clock })
    const security = { identity: await newSource(authority, 'client') }
    await expect(openChannel(server.url, { security, clock }).peer(soon().signal)).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it('refuses a server whose authority has another fingerprint', async () => {
    const own = await newSource(authority, 'server')
    const server = await startServer({ security: { identity: own, sendAuthorities: true }, clock })
    const channel = openChannel(server.url, { security: { authoritySha256: new Uint8Array(32) }, clock })
    await expect(channel.peer(soon().signal)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('ends its calls to a server that is revoked, and makes no others', async () => {
    const { server, identity, calls } = await mesh()
    let revoked = ''
    const isRevoked = (spiffeId: string) => spiffeId === revoked
    const channel = openChannel(server.url, { security: { identity, isRevoked }, clock })
    await networkServiceClient(channel).request(request, soon())
    const watched = monitorClient(channel).monitor({ pathSegments: [], networkServices: [] }, soon())
    const stream = watched[Symbol.asyncIterator]()
    await stream.next()
    revoked = 'spiffe://east/server'
    channel.recheck()
    await expect(stream.next()).rejects.toBeInstanceOf(NsmError)
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('its identity is revoked'),
    })
    expect(calls).toHaveLength(1)
  })

  it.each(['127.0.0.1', 'localhost'])('sends nothing to %s when that is out of its reach', async (host) => {
    const received: Buffer[] = []
    const server = createServer((socket) => socket.on('data', (data) => received.push(data)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const identity = await newSource(authority, 'client')
      const url = `tcp://${host}:${(server.address() as AddressInfo).port}`
      const channel = openChannel(url, { security: { identity, mayReach: isRoutable }, clock })
      await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({
        code: 'permission_denied',
        fields: { address: '127.0.0.1' },
      })
      expect(received).toEqual([])
    } finally {
      server.close()
    }
  })

  it('closes its connection to a server whose domain it no longer trusts', async () => {
    const { channel, identity } = await mesh()
    const stream = monitorClient(channel)
      .monitor({ pathSegments: [], networkServices: [] }, soon())
      [Symbol.asyncIterator]()
    await stream.next()
    identity.replace({ ...identity.current(), bundles: new Map() })
    await expect(stream.next()).rejects.toBeInstanceOf(NsmError)
    await expect(networkServiceClient(channel).request(request, soon())).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })
})

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.from(bytes)))
}
