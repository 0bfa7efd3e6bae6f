import { expect, test } from 'vitest'
import { type Call, type Connection, emptyContext, type Peer } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { NsmError } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { WantedWires } from './index.ts'

function connection(id: string): Connection {
  const segments = [{ name: 'app', id, token: '', expiresMs: undefined, metrics: {} }]
  const named = { id, networkService: 'files@east', endpointName: '', payload: '', state: 'UP' } as const
  return { ...named, mechanism: undefined, context: emptyContext, labels: {}, path: { index: 0, segments } }
}

function callBy(account: string, more: Partial<Peer> = {}): Call {
  const attestation = attestationOf({ namespace: 'inode://4/101', account })
  const peer: Peer = { spiffeId: `spiffe://west/node/n1/uid/${account}`, chain: [], attestation, ...more }
  return { peer, token: undefined, signal: AbortSignal.timeout(60_000) }
}

const refused = new NsmError('not_found', 'Cannot use the service: nobody serves it')

test('WantedWires says why, since when, how often, and when the client will ask again', async () => {
  const clock = new FakeClock()
  const wanted = new WantedWires(clock)
  const startMs = clock.nowMs()
  for (let tries = 0; tries < 3; tries += 1) {
    wanted.note(connection('c1'), callBy('7'), refused)
    await clock.advance(2_000)
  }
  expect(wanted.all()).toMatchObject([
    {
      id: 'c1',
      client: 'app',
      networkService: 'files@east',
      problem: 'Cannot use the service: nobody serves it',
      sinceMs: startMs,
      tries: 3,
      triedMs: startMs + 4_000,
      nextMs: startMs + 6_000,
    },
  ])
})

test('WantedWires keeps the reason when the client only runs out of patience', () => {
  const wanted = new WantedWires(new FakeClock())
  const impatient = new NsmError('cancelled', 'Cannot continue: the caller has disconnected')
  wanted.note(connection('c1'), callBy('7'), impatient)
  expect(wanted.all()).toMatchObject([{ problem: 'the client did not wait for the answer' }])
  wanted.note(connection('c1'), callBy('7'), refused)
  wanted.note(connection('c1'), callBy('7'), impatient)
  expect(wanted.all()).toMatchObject([{ problem: refused.message, tries: 3 }])
})

test('WantedWires forgets what is there, who has left, and who no longer asks', async () => {
  const clock = new FakeClock()
  const wanted = new WantedWires(clock)
  let isConnected = true
  wanted.note(connection('there'), callBy('7'), refused)
  wanted.note(connection('left'), callBy('8', { isConnected: () => isConnected }), refused)
  wanted.note(connection('silent'), callBy('7'), refused)
  wanted.forget(connection('there'), callBy('7'))
  expect(wanted.all().map(({ id }) => id)).toEqual(['left', 'silent'])
  isConnected = false
  expect(wanted.all().map(({ id }) => id)).toEqual(['silent'])
  await clock.advance(60_001)
  expect(wanted.all()).toEqual([])
})

test('a client that wants a thousand wires costs its own share, and no other client its row', () => {
  const wanted = new WantedWires(new FakeClock())
  wanted.note(connection('modest'), callBy('8'), refused)
  const long = 'x'.repeat(100_000)
  for (let at = 0; at < 1_000; at += 1) {
    const error = new NsmError('not_found', long)
    wanted.note({ ...connection(`c${at}`), networkService: long }, callBy('7'), error)
  }
  expect(wanted.all()).toHaveLength(17)
  expect(wanted.all().map(({ id }) => id)).toContain('modest')
  expect(JSON.stringify(wanted.all()).length).toBeLessThan(20_000)
  for (let account = 100; account < 2_000; account += 1) {
    wanted.note(connection('c1'), callBy(String(account)), refused)
  }
  expect(wanted.all()).toHaveLength(1_024)
})

test('WantedWires leaves what other nodes ask for to these', () => {
  const wanted = new WantedWires(new FakeClock())
  wanted.note(connection('c1'), callBy('7', { attestation: undefined }), refused)
  expect(wanted.all()).toEqual([])
})
