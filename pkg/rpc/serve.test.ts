import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Call, type Connection, emptyContext, type NetworkServiceServer } from '../api/index.ts'
import { FakeClock, silentLogger, systemClock } from '../base/index.ts'
import {
  Authority,
  createAuthorityMaterial,
  type Identity,
  issueIdentity,
  type StaticSource,
  staticSource,
} from '../identity/index.ts'
import { Channel } from './channel.ts'
import { networkServiceClient } from './nsm-clients.ts'
import { networkService } from './nsm-services.ts'
import { type MutualTls, serve } from './serve.ts'

let authority: Authority

beforeAll(async () => {
  authority = new Authority(await createAuthorityMaterial('east', systemClock), systemClock)
})

const connection: Connection = {
  id: 'c-1',
  networkService: 'db',
  mechanism: undefined,
  context: emptyContext,
  labels: {},
  path: { index: 0, segments: [] },
  endpointName: '',
  payload: 'IP',
  state: 'UP',
}

const identityOf = (name: string) => issueIdentity(authority, { spiffeId: `spiffe://east/${name}` })

async function echo() {
  const calls: Call[] = []
  const server: NetworkServiceServer = {
    async request(request, call) {
      calls.push(call)
      return request.connection
    },
    async close() {},
  }
  return { calls, service: networkService(server) }
}

describe('serve', () => {
  it('knows who calls and echoes', async () => {
    const { calls, service } = await echo()
    const server = await serve({
      listen: 'tcp://127.0.0.1:0',
      security: { identity: staticSource(await identityOf('server')) },
      services: [service],
      clock: systemClock,
      logger: silentLogger,
    })
    onTestFinished(() => server.close())
    const identity = staticSource(await identityOf('client'))
    const channel = new Channel(server.url, { security: { identity }, clock: systemClock })
    onTestFinished(() => channel.close())
    const client = networkServiceClient(channel)
    const answer = await client.request({ connection, mechanismPreferences: [] }, { signal: AbortSignal.timeout(3000) })
    expect(answer).toEqual(connection)
    expect(calls[0]?.peer.spiffeId).toBe('spiffe://east/client')
    expect(calls[0]?.token?.jwt).toBeTypeOf('string')
    const peer = await channel.peer(AbortSignal.timeout(1000))
    expect(peer.spiffeId).toBe('spiffe://east/server')
    const t = performance.now()
    for (let i = 0; i < 500; i++)
      await client.request({ connection, mechanismPreferences: [] }, { signal: AbortSignal.timeout(3000) })
    console.log('500 sequential', performance.now() - t)
  })
})
