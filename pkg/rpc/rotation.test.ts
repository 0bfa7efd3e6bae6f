import { beforeAll, expect, it } from 'vitest'
import { type Clock, StreamRenewal, systemClock } from '../base/index.ts'
import { FakeClock, MovingClock } from '../base/testing/index.ts'
import { type Authority, type StaticSource, staticSource } from '../identity/index.ts'
import type { Channel } from './channel.ts'
import { monitorClient, networkServiceClient } from './nsm-clients.ts'
import {
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

let authority: Authority

beforeAll(async () => {
  authority = await newAuthority()
})

async function mesh(clock: Clock = systemClock) {
  const { calls, service } = echoService()
  const events = eventService([{ type: 'INITIAL_STATE_TRANSFER', connections: new Map() }])
  const servers = await newSource(authority, 'server')
  const clients = await newSource(authority, 'client')
  const server = await startServer({ security: { identity: servers }, services: [service, events.service] })
  const channel = openChannel(server.url, { security: { identity: clients }, clock })
  return { servers, clients, channel, calls, events, server }
}

/** Calls as fast as possible until it is stopped, and counts failures. */
function callForEver(channel: Channel) {
  const client = networkServiceClient(channel)
  const stop = new AbortController()
  const failures: unknown[] = []
  let done = 0
  const running = (async () => {
    while (!stop.signal.aborted) {
      await client.request(request, soon()).then(
        () => (done += 1),
        (error: unknown) => failures.push(error),
      )
    }
  })()
  return {
    failures,
    done: () => done,
    async stop() {
      stop.abort()
      await running
    },
  }
}

async function rotate(source: StaticSource, name: string): Promise<void> {
  source.replace(await newIdentity(authority, name))
}

it('both ends renew their SVIDs during calls and a stream, and nothing fails', async () => {
  const { servers, clients, channel, calls, events } = await mesh()
  const stream = monitorClient(channel)
    .monitor({ pathSegments: [], networkServices: [] }, soon())
    [Symbol.asyncIterator]()
  await stream.next()
  const load = [callForEver(channel), callForEver(channel), callForEver(channel)]
  for (let round = 0; round < 5; round += 1) {
    await rotate(servers, 'server')
    await systemClock.sleep(40)
    await rotate(clients, 'client')
    await systemClock.sleep(40)
  }
  await Promise.all(load.map((caller) => caller.stop()))
  expect(load.flatMap(({ failures }) => failures)).toEqual([])
  expect(load.reduce((sum, { done }) => sum + done(), 0)).toBeGreaterThan(50)
  expect(events.state.open).toBe(1)
  const newest = clients.current().svid.chain[0]
  await networkServiceClient(channel).request(request, soon())
  expect(Buffer.from(calls.at(-1)?.peer.chain[0] ?? []).equals(Buffer.from(newest ?? []))).toBe(true)
  const shown = await channel.peer(soon().signal)
  expect(Buffer.from(shown.chain[0] ?? []).equals(Buffer.from(servers.current().svid.chain[0] ?? []))).toBe(true)
})

it.each(['servers', 'clients'] as const)('an endless stream is renewed when the %s renew their SVIDs', async (who) => {
  const clock = new MovingClock()
  const parts = await mesh(clock)
  const watch = () =>
    monitorClient(parts.channel).monitor({ pathSegments: [], networkServices: [] }, soon())[Symbol.asyncIterator]()
  const stream = watch()
  await stream.next()
  await clock.leap(2_000)
  await rotate(parts[who], who === 'servers' ? 'server' : 'client')
  await expect(stream.next()).rejects.toBeInstanceOf(StreamRenewal)
  const again = watch()
  expect(await again.next()).toMatchObject({ done: false })
  await expect.poll(() => parts.events.state.open).toBe(1)
})

it('tokens are signed with the key of the connection that carries them', async () => {
  const { clients, channel, calls } = await mesh()
  const client = networkServiceClient(channel)
  await client.request(request, soon())
  await client.request(request, soon())
  expect(calls[1]?.token).toEqual(calls[0]?.token)
  await rotate(clients, 'client')
  await client.request(request, soon())
  expect(calls[2]?.token?.jwt).not.toBe(calls[0]?.token?.jwt)
})

it('a channel recovers after its server was unreachable', async () => {
  const { servers, channel, server } = await mesh()
  const client = networkServiceClient(channel)
  await client.request(request, soon())
  await server.close()
  await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unavailable' })
  const { service } = echoService()
  await startServer({ listen: server.url, security: { identity: servers }, services: [service] })
  await expect
    .poll(() => client.request(request, soon()).then(() => 'answered', String), { timeout: 5000 })
    .toBe('answered')
})

it('a server that is back is reached by the next call, however long it was away', async () => {
  const { servers, channel, server } = await mesh()
  const client = networkServiceClient(channel)
  await client.request(request, soon())
  await server.close()
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unavailable' })
    await systemClock.sleep(120)
  }
  const { service } = echoService()
  await startServer({ listen: server.url, security: { identity: servers }, services: [service] })
  await systemClock.sleep(120)
  expect(await client.request(request, soon())).toMatchObject({ id: 'c-1' })
})

it('a connection with an expired server certificate is not reused', async () => {
  const clock = new FakeClock()
  const own = await newAuthority('east', clock)
  const { service } = echoService()
  const short = staticSource(await newIdentity(own, 'server', { lifetimeMs: 60_000 }))
  const server = await startServer({ security: { identity: short }, services: [service], clock })
  const security = { identity: staticSource(await newIdentity(own, 'client')) }
  const client = networkServiceClient(openChannel(server.url, { security, clock }))
  await client.request(request, soon())
  await clock.advance(61_000)
  await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unauthenticated' })
  short.replace(await newIdentity(own, 'server'))
  await expect
    .poll(() => client.request(request, soon()).then(() => 'answered', String), { timeout: 5000 })
    .toBe('answered')
})
