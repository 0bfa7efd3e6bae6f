import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { NsmError, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { followTrust, NodeTrust, type TrustState } from '../index.ts'
import { LONGEST_AWAY_MS } from './node-trust.ts'

const directory = mkdtempSync(join(tmpdir(), 'nsm-trust-'))
afterAll(() => rmSync(directory, { recursive: true }))

const east = { trustDomain: 'east', authorities: [Buffer.from('east')], exportedServices: ['files'] }
const state: TrustState = {
  revision: 7n,
  trustDomain: 'west',
  authorities: [Buffer.from('new'), Buffer.from('old')],
  domains: [east],
  revoked: ['spiffe://west/node/n9'],
  diskProblem: '',
  namesake: '',
  aheadMs: 0,
}

it('NodeTrust knows after a restart what the authority has said', async () => {
  const path = join(directory, 'restart')
  await (await NodeTrust.open(path)).update(state)
  const trust = await NodeTrust.open(path)
  expect([...trust.bundles().keys()].sort()).toEqual(['east', 'west'])
  expect(trust.bundles().get('west')?.map(String)).toEqual(['new', 'old'])
  expect(trust.exports()).toEqual(new Map([['east', new Set(['files'])]]))
  expect(
    ['spiffe://west/node/n9', 'spiffe://west/node/n9/uid/0', 'spiffe://west/node/n90'].map((id) => trust.isRevoked(id)),
  ).toEqual([true, true, false])
})

it('NodeTrust trusts nobody before the authority has said anything', async () => {
  const trust = await NodeTrust.open(join(directory, 'nothing'))
  expect([trust.bundles().size, trust.exports().size]).toEqual([0, 0])
  expect(trust.problem).not.toBe('')
})

it('NodeTrust tells of a change once', async () => {
  const trust = await NodeTrust.open(join(directory, 'change'))
  let changes = 0
  trust.subscribe(() => {
    changes += 1
  })
  await trust.update(state)
  await trust.update({ ...state, domains: [{ ...east }] })
  expect(changes).toBe(1)
  await trust.update({ ...state, revision: 8n, domains: [] })
  expect(changes).toBe(2)
})

it('followTrust says that trust may be out of date while the registry is away', async () => {
  const clock = new FakeClock()
  const trust = await NodeTrust.open(join(directory, 'follow'))
  const stop = new AbortController()
  let isAway = true
  async function* watch(signal: AbortSignal): AsyncGenerator<TrustState> {
    if (isAway) throw new NsmError('unavailable', 'Cannot reach the registry')
    yield state
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve())
    })
  }
  const running = followTrust(trust, { watch, clock, logger: silentLogger }, stop.signal)
  await clock.advance(0)
  expect(trust.problem).toContain('Cannot reach the registry')
  isAway = false
  await clock.advance(5_000)
  expect([trust.problem, trust.bundles().size]).toEqual(['', 2])
  stop.abort()
  await running
  expect(clock.pending).toBe(0)
})

it('followTrust stops trusting other domains when the authority is away for too long, until it is back', async () => {
  const clock = new FakeClock()
  const trust = await NodeTrust.open(join(directory, 'old'))
  await trust.update(state)
  const stop = new AbortController()
  let isAway = true
  let isEnded = () => {}
  async function* watch(): AsyncGenerator<TrustState> {
    if (isAway) throw new NsmError('unavailable', 'Cannot reach the registry')
    yield state
    await new Promise<void>((resolve) => {
      isEnded = resolve
    })
  }
  const following = followTrust(trust, { watch, clock, logger: silentLogger }, stop.signal)
  const trusted = () => [[...trust.bundles().keys()].sort().join(' '), trust.exports().size]
  await clock.advance(LONGEST_AWAY_MS - 1)
  expect(trusted()).toEqual(['east west', 1])
  await clock.advance(1)
  expect(trusted()).toEqual(['west', 0])
  expect(trust.isRevoked('spiffe://west/node/n9')).toBe(true)
  isAway = false
  await clock.advance(10_000)
  expect(trusted()).toEqual(['east west', 1])
  await clock.advance(2 * LONGEST_AWAY_MS) // it is there, and has nothing to say
  expect(trusted()).toEqual(['east west', 1])
  isAway = true
  isEnded()
  await clock.advance(LONGEST_AWAY_MS + 10_000)
  expect(trusted()).toEqual(['west', 0])
  stop.abort()
  await clock.advance(10_000)
  await following
  expect(clock.pending).toBe(0)
})
