import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { NsmError } from '../base/index.ts'
import type { Authority } from '../identity/index.ts'
import type { Channel, ClientSecurity } from './channel.ts'
import { networkServiceClient } from './nsm-clients.ts'
import { networkService } from './nsm-services.ts'
import { echoService, newAuthority, newSource, openChannel, request, startServer } from './testing/rpc-fixture.ts'

const who = 'the registry of west'

let authority: Authority
let security: ClientSecurity
beforeAll(async () => {
  authority = await newAuthority()
  security = { identity: await newSource(authority, 'client') }
})

/** A TCP server that is none of ours. */
async function listenWith(onSocket: (socket: Socket) => void): Promise<string> {
  return urlOf(createServer(onSocket))
}

async function urlOf(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Failed {
  readonly url: string
  readonly text: string
  readonly code: string
}

/** What a call says, and what waiting for the peer says, which goes another way through grpc-js. */
async function failureOf(channel: Channel, url: string): Promise<Failed> {
  const error = await networkServiceClient(channel)
    .request(request, { signal: AbortSignal.timeout(10_000) })
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
  if (!(error instanceof NsmError)) throw new Error(`not an NsmError: ${error}`)
  expect(error.message).not.toMatch(
    /UNAVAILABLE|No connection established|ECONN|RST_STREAM|channel|Last error|\b1[34]\b/,
  )
  return { url, text: error.message, code: error.code }
}

async function waitFailureOf(channel: Channel): Promise<string> {
  const error = await channel.peer(AbortSignal.timeout(10_000)).catch((thrown: unknown) => thrown)
  return error instanceof Error ? error.message : String(error)
}

describe('a call that does not get through says who was called, where, and what happened', () => {
  it.each<[string, string, string]>([
    ['a port where nothing listens', 'tcp://127.0.0.1:1', 'nothing listens there'],
    ['a name without an address', 'tcp://nowhere.invalid:5002', 'its name has no address'],
    ['an address without a route', 'tcp://[ff02::1]:5002', 'there is no route to it'],
    ['a socket that is not there', 'unix:///nowhere/nsm.sock', 'there is no such socket'],
  ])('%s', async (_what, url, why) => {
    const channel = openChannel(url, { security, who })
    const at = url.replace(/^\w+:\/\//, '')
    const text = `Cannot complete the call: the registry of west does not answer at ${at}: ${why}`
    expect(await failureOf(channel, url)).toEqual({ url, text, code: 'unavailable' })
    expect(await waitFailureOf(channel)).toBe(text)
  })

  it('a server that closes the connection in the TLS handshake', async () => {
    const url = await listenWith((socket) => socket.once('data', () => socket.destroy()))
    const channel = openChannel(url, { security, who })
    const { text } = await failureOf(channel, url)
    expect(text).toMatch(
      /^Cannot complete the call: the registry of west does not answer at 127\.0\.0\.1:\d+: it ended the TLS handshake$/,
    )
    expect(await waitFailureOf(channel)).toBe(text)
  })

  it('a server that speaks no TLS', async () => {
    const url = await listenWith((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await failureOf(openChannel(url, { security, who }), url)).text).toMatch(
      /: what listens there does not speak TLS 1\.3$/,
    )
  })

  it('a server that speaks no gRPC', async () => {
    const server = createHttp2Server((_, response) => response.writeHead(404).end())
    const url = await urlOf(server as unknown as Server)
    const { text } = await failureOf(openChannel(url, { security: 'plaintext', who }), url)
    expect(text).toMatch(/: what listens at 127\.0\.0\.1:\d+ does not speak gRPC$/)
  })

  it('a server that cuts the connection during the call', async () => {
    const url = await listenWith((socket) => setTimeout(() => socket.destroy(), 100))
    const { text, code } = await failureOf(openChannel(url, { security: 'plaintext', who }), url)
    expect([text, code]).toEqual([
      expect.stringMatching(/(broke during the call|does not answer at 127\.0\.0\.1:\d+: .+)$/),
      'unavailable',
    ])
  })

  it('a server that takes the call and dies', async () => {
    let isAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve
    })
    const slow = networkService({
      request: () => {
        isAsked()
        return new Promise(() => {})
      },
      async close() {},
    })
    const server = await startServer({ security: { identity: await newSource(authority, 'server') }, services: [slow] })
    const channel = openChannel(server.url, { security, who })
    const failed = failureOf(channel, server.url)
    await asked
    await server.close()
    expect(await failed).toMatchObject({ text: expect.stringMatching(/broke during the call$/), code: 'unavailable' })
  })

  it('a channel that this program has closed', async () => {
    const { service } = echoService()
    const server = await startServer({
      security: { identity: await newSource(authority, 'server') },
      services: [service],
    })
    const channel = openChannel(server.url, { security, who })
    await networkServiceClient(channel).request(request, { signal: AbortSignal.timeout(5_000) })
    channel.close()
    const ended =
      /^Cannot complete the call: this program has ended its calls to the registry of west at 127\.0\.0\.1:\d+$/
    expect(await failureOf(channel, server.url)).toMatchObject({
      text: expect.stringMatching(ended),
      code: 'cancelled',
    })
    expect(await waitFailureOf(channel)).toMatch(ended)
  })

  it('a server that has revoked us, and one that does not trust us', async () => {
    const { service } = echoService()
    const identity = await newSource(authority, 'server')
    const revoking = await startServer({ security: { identity, isRevoked: () => true }, services: [service] })
    const revoked = await failureOf(openChannel(revoking.url, { security, who }), revoking.url)
    expect(revoked).toMatchObject({
      text: 'Cannot complete the call: the registry of west has revoked us',
      code: 'unauthenticated',
    })
    const stranger = { identity: await newSource(await newAuthority('south'), 'client') }
    const bundles = new Map([...identity.current().bundles, ...stranger.identity.current().bundles])
    stranger.identity.replace({ ...stranger.identity.current(), bundles })
    const trusting = await startServer({ security: { identity }, services: [service] })
    const untrusted = await failureOf(openChannel(trusting.url, { security: stranger, who }), trusting.url)
    expect(untrusted).toMatchObject({
      text: expect.stringMatching(/^Cannot complete the call: the registry of west does not accept us: /),
      code: 'unauthenticated',
    })
  })

  it('what the peer itself says stays as it is', async () => {
    const refusing = networkService({
      async request() {
        throw new NsmError('unavailable', 'Cannot reach an endpoint: Connection is what it lacks')
      },
      async close() {},
    })
    const server = await startServer({
      security: { identity: await newSource(authority, 'server') },
      services: [refusing],
    })
    expect((await failureOf(openChannel(server.url, { security, who }), server.url)).text).toBe(
      'Cannot reach an endpoint: Connection is what it lacks',
    )
  })
})

it('every text of grpc-js that a failed call may have has words of ours', async () => {
  const { transportFailure } = await import('./transport-failure.ts')
  const party = { who, url: 'tcp://203.0.113.10:5002' }
  const texts = [
    'Deadline exceeded after 15.001s,remote_addr=203.0.113.10:5002',
    'Received RST_STREAM with code 2 (Internal server error)',
    'Received RST_STREAM with code 7',
    'Failed to start HTTP/2 stream with error The session has been destroyed',
    'read ECONNRESET',
    'Cancelled on client',
    'Received message larger than max (9 vs. 4)',
    'Response message parsing error: invalid wire type',
  ]
  expect(texts.map((details) => transportFailure({ details }, party)?.message)).toEqual(
    texts.map(() => expect.stringMatching(/^Cannot complete the call: .*203\.0\.113\.10:5002/)),
  )
  expect(transportFailure({ details: 'Cannot find the network service' }, party)).toBeUndefined()
})
