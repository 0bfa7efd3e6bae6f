import { expect, it } from 'vitest'
import { type Call, type Connection, emptyContext } from '../api/index.ts'
import { chain, Deadlines, KeyedQueue } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { begin, expire, type Incoming, type Owned, ownerOf, updatePath } from './index.ts'

const ALICE = 'spiffe://west/node/n1'

function asked(spiffeId = ALICE, id = 'c1'): Incoming {
  const segments = [{ name: 'client', id, token: '', expiresMs: undefined, metrics: {} }]
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
  }
  const peer = { spiffeId, chain: [], attestation: undefined }
  const call: Call = { peer, token: undefined, signal: new AbortController().signal }
  return { request: { connection, mechanismPreferences: [] }, call }
}

/** An application that remembers whoever asked, for a second. */
function application() {
  const clock = new FakeClock()
  const held = new Map<string, Owned>()
  const running: string[] = []
  const deadlines = new Deadlines(clock, (id) => held.delete(id))
  const requests = chain<Incoming, Connection>()
    .step(updatePath({ name: 'app', idFor: (connection) => `app-${connection.id}` }))
    .step(begin({ queue: new KeyedQueue(), find: (id) => held.get(id) }))
    .step(async function sign(_, next: (added: { readonly expiresMs: number }) => Promise<Connection>) {
      return next({ expiresMs: clock.nowMs() + 1_000 })
    })
    .step(expire(deadlines))
    .end(async function hold({ connection, call }) {
      running.push(`${connection.id} in`)
      await Promise.resolve()
      running.push(`${connection.id} out`)
      held.set(connection.id, ownerOf(call.peer))
      return connection
    })
  return { requests, clock, held, running }
}

it('begin lets requests for one connection wait for each other', async () => {
  const { requests, running } = application()
  await Promise.all([requests.run(asked()), requests.run(asked())])
  expect(running).toEqual(['app-c1 in', 'app-c1 out', 'app-c1 in', 'app-c1 out'])
})

it('begin lets nobody touch the connection of another', async () => {
  const { requests } = application()
  await requests.run(asked())
  await expect(requests.run(asked('spiffe://west/node/n2'))).rejects.toMatchObject({ code: 'permission_denied' })
})

it('expire ends a connection with the token of its last request', async () => {
  const { requests, clock, held } = application()
  await requests.run(asked())
  await clock.advance(900)
  await requests.run(asked())
  await clock.advance(900)
  expect(held.size).toBe(1)
  await clock.advance(200)
  expect([held.size, clock.pending]).toEqual([0, 0])
})
