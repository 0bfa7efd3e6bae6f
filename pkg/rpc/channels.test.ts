import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import type { Authority } from '../identity/index.ts'
import { Channels } from './channels.ts'
import { monitorClient, networkServiceClient } from './nsm-clients.ts'
import {
  echoService,
  eventService,
  newAuthority,
  newSource,
  request,
  soon,
  startServer,
} from './testing/rpc-fixture.ts'

const HALF_HOUR_MS = 30 * 60_000

let authority: Authority

beforeAll(async () => {
  authority = await newAuthority()
})

async function mesh() {
  const events = eventService([{ type: 'INITIAL_STATE_TRANSFER', connections: new Map() }])
  const identity = await newSource(authority, 'server')
  const { url } = await startServer({ security: { identity }, services: [echoService().service, events.service] })
  const clock = new FakeClock(systemClock.nowMs())
  const channels = new Channels({ identity: await newSource(authority, 'client'), clock })
  onTestFinished(() => channels.close())
  return { url, clock, channels, events }
}

it('a callee that had no call for half an hour is called as before', async () => {
  const { url, clock, channels } = await mesh()
  const kept = networkServiceClient(channels.to(url))
  await kept.request(request, soon())
  await clock.advance(HALF_HOUR_MS)
  await networkServiceClient(channels.to(url, { role: 'another' })).request(request, soon())
  await expect(kept.request(request, soon())).resolves.toMatchObject({ id: 'c-1' })
})

it('a channel without a call for ten minutes is closed, and no timer is left', async () => {
  const { url, clock, channels } = await mesh()
  const callee = channels.to(url)
  expect(channels.size).toBe(0)
  await networkServiceClient(callee).request(request, soon())
  expect(channels.size).toBe(1)
  await clock.advance(HALF_HOUR_MS)
  expect([channels.size, clock.pending]).toEqual([0, 0])
})

it('a stream keeps its channel open', async () => {
  const { url, clock, channels, events } = await mesh()
  const stop = new AbortController()
  const everything = { pathSegments: [], networkServices: [] }
  const stream = monitorClient(channels.to(url)).monitor(everything, stop)[Symbol.asyncIterator]()
  await stream.next()
  await clock.advance(HALF_HOUR_MS)
  expect([channels.size, events.state.open]).toEqual([1, 1])
  stop.abort()
  await expect(stream.next()).rejects.toThrow()
  await clock.advance(HALF_HOUR_MS)
  expect(channels.size).toBe(0)
})
