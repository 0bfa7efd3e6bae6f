/** What strangers may cost a node and a registry: memory, and the connections of others. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { healthV1 } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { JOINING_METHODS } from '../../pkg/federation/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import { beginCall, type HalfCall, Stranger } from './strangers.ts'
import { oneVictim } from './victim-process.ts'

const MIB = 2 ** 20
const CONNECTIONS = 60
const STREAMS = 100
const BODY_BYTES = 250_000
const MAX_MS = 8000

const victim = oneVictim()
const strangers: Stranger[] = []
afterEach(() => Promise.all(strangers.splice(0).map((each) => each.close())))

function strangerAt(url: string): Stranger {
  const stranger = new Stranger(url)
  strangers.push(stranger)
  return stranger
}

describe('60 connections without a certificate, each with 100 calls that stop in the middle of a message', () => {
  const doors = [
    { door: 'a node', url: () => victim().url, path: '/networkservice.NetworkService/Request' },
    { door: 'a registry', url: () => victim().registryUrl, path: '/registry.NetworkServiceRegistry/Register' },
    { door: 'a registry, where they may join', url: () => victim().registryUrl, path: [...JOINING_METHODS][0] ?? '' },
  ]
  it.each(doors)('cost $door less than 16 MiB', async ({ url, path }) => {
    const before = await victim().memory()
    const stranger = strangerAt(url())
    const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, () => stranger.session()))
    const calls = sessions.flatMap((each) => Array.from({ length: STREAMS }, () => beginCall(each, path, BODY_BYTES)))
    await Promise.race([Promise.all(calls.map((call) => call?.taken)), pause(MAX_MS)])
    const { heldBytes } = await victim().memory()
    expect((heldBytes - before.heldBytes) / MIB).toBeLessThan(16)
  })
})

describe('8 connections of a member, each with 100 calls that stop in the middle of a message', () => {
  it('cost a node less than 64 MiB', async () => {
    const before = await victim().memory()
    const [identity, stranger] = [await victim().member(), strangerAt(victim().url)]
    const sessions = await Promise.all(Array.from({ length: 8 }, () => stranger.session(identity)))
    const path = '/networkservice.NetworkService/Request'
    const calls = sessions.flatMap((each) => Array.from({ length: STREAMS }, () => beginCall(each, path, BODY_BYTES)))
    await Promise.race([Promise.all(calls.map((call) => call?.taken)), pause(MAX_MS)])
    const { heldBytes } = await victim().memory()
    expect((heldBytes - before.heldBytes) / MIB).toBeLessThan(64)
  })
})

describe('2,200 connections that say nothing, from the address of honest ones', () => {
  it.each([
    ['a node', () => victim().url],
    ['a registry', () => victim().registryUrl],
  ])('do not keep a member from %s', async (_, url) => {
    const identity = await victim().member()
    const stranger = strangerAt(url())
    let isOver = false
    const flood = async () => {
      for (let i = 0; i < 44 && !isOver; i++) await Promise.all(Array.from({ length: 50 }, () => stranger.idle()))
    }
    const flooding = flood()
    let served = 0
    for (let i = 0; i < 25; i++) {
      const channel = new Channel(url(), { security: { identity }, clock: systemClock })
      const answer = clientOf(healthV1.HealthService, channel).check(
        { service: '' },
        { signal: AbortSignal.timeout(3000) },
      )
      served += await answer.then(() => 1).catch(() => 0)
      channel.close()
    }
    isOver = true
    await flooding
    expect(served).toBe(25)
  })
})

describe('refused calls in a loop', () => {
  it.each([
    ['a node', () => victim().url],
    ['a registry', () => victim().registryUrl],
  ])('cost %s a few lines of log', async (_, url) => {
    const before = await victim().logBytes()
    const session = await strangerAt(url()).session()
    let refused = 0
    for (let i = 0; i < 200; i++) refused += await isRefused(beginCall(session, '/grpc.health.v1.Health/Check', 0))
    expect(refused).toBe(200)
    expect((await victim().logBytes()) - before).toBeLessThan(2000)
  })
})

async function isRefused(call: HalfCall | undefined): Promise<number> {
  if (call === undefined) return 0
  const [headers] = await once(call.stream, 'response')
  call.stream.end()
  return headers['grpc-status'] === '16' ? 1 : 0
}
