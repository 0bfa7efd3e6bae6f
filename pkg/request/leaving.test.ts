import { expect, it } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { Leaving, type Left } from './leaving.ts'
import type { Hop } from './parts.ts'
import { firstRequest } from './testing/test-node.ts'

const TARGET: Left['target'] = {
  at: 'node',
  url: 'tcp://192.0.2.2:5001',
  domain: '',
  endpoint: 'nse-a',
}

it('remembers ten thousand connections for hops that are away, and no more', async () => {
  const clock = new FakeClock()
  const { connection } = firstRequest('files')
  const closed: string[] = []
  let isAway = true
  const away = () => new NsmError('unavailable', 'Cannot reach the node')
  const client: Hop['client'] = {
    request: () => Promise.reject(away()),
    close: async ({ id }) => void closed.push(id),
  }
  const connect = async () => {
    if (isAway) throw away()
    return { client, spiffeId: 'spiffe://west/node/n2', namespace: undefined }
  }
  const leaving = new Leaving({ nextHops: { connect }, clock, logger: silentLogger })
  const leave = (number: number) => {
    const outgoing = { ...connection, id: `c-${number}` }
    leaving.start({ id: outgoing.id, target: TARGET, outgoing, expiresMs: clock.nowMs() + 600_000 })
  }
  for (let number = 0; number < 10_010; number += 1) leave(number)
  leave(1) // one that is remembered already
  await clock.advance(1_000)
  isAway = false
  await clock.advance(10_000)
  expect([closed.length, leaving.size]).toEqual([10_000, 0])
  leave(10_001)
  await clock.advance(1)
  expect(closed.at(-1)).toBe('c-10001')
  await leaving.close()
})
