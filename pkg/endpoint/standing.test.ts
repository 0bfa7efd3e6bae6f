import { expect, test } from 'vitest'
import { type Connection, type ConnectionEvent, emptyContext } from '../api/index.ts'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { standingConnections } from './index.ts'

function connection(...path: readonly string[]): Connection {
  const segments = path.map((name) => ({ name, id: `id-${name}`, token: '', expiresMs: undefined, metrics: {} }))
  const base = { networkService: 'files', context: emptyContext, labels: {}, endpointName: 'nse', payload: 'IP' }
  const mechanism = { cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'nsm-1' } }
  return { ...base, id: 'id-n1', mechanism, path: { index: 1, segments }, state: 'UP' }
}

function asked(...answers: readonly (Error | readonly Connection[])[]) {
  const clock = new FakeClock()
  const left = [...answers]
  const monitor = {
    async *monitor(): AsyncIterable<ConnectionEvent> {
      const answer = left.shift() ?? []
      if (answer instanceof Error) throw answer
      yield { type: 'INITIAL_STATE_TRANSFER', connections: new Map(answer.map((each, at) => [`${at}`, each])) }
      await new Promise(() => {}) // a monitor goes on
    },
  }
  const { signal } = new AbortController()
  return { clock, standing: standingConnections({ monitor, name: 'nse', clock, logger: silentLogger, signal }) }
}

test('an endpoint learns from its node what it serves, in its own view', async () => {
  const { standing } = asked([connection('client', 'n1', 'nse'), connection('client', 'n1', 'n2', 'nse')])
  expect(await standing).toMatchObject([{ id: 'id-nse', mechanism: undefined, path: { index: 2 } }])
})

test('an endpoint waits for a node that is away, and goes on without one that does not say', async () => {
  const { clock, standing } = asked(new NsmError('unavailable', 'away'), [connection('client', 'n1', 'nse')])
  await clock.advance(1_000)
  expect(await standing).toHaveLength(1)
  expect(await asked(new NsmError('unimplemented', 'no')).standing).toEqual([])
})
