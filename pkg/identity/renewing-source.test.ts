import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { Authority, createAuthorityMaterial } from './authority.ts'
import { identityFile } from './identity-file.ts'
import { issueIdentity } from './issue-identity.ts'
import { type RenewingOptions, renewingSource } from './renewing-source.ts'
import type { Identity } from './svid.ts'

const MINUTE_MS = 60_000

async function setUp(options: Partial<RenewingOptions> = {}) {
  const clock = new FakeClock()
  const authority = new Authority(await createAuthorityMaterial('east', clock), clock)
  const state = { isAway: false, tries: 0 }
  const obtain = async (): Promise<Identity> => {
    state.tries += 1
    if (state.isAway) throw new NsmError('unavailable', 'Cannot reach authority')
    return issueIdentity(authority, { spiffeId: 'spiffe://east/node/n1' })
  }
  const source = await renewingSource({ obtain, clock, logger: silentLogger, random: () => 0.5, ...options })
  onTestFinished(() => source.close())
  return { clock, authority, state, source }
}

it('renews at half of the lifetime, and notifies its subscribers', async () => {
  const { clock, source, state } = await setUp()
  const first = source.current().svid
  const seen: string[] = []
  source.subscribe(({ svid }) => seen.push(svid.spiffeId))
  await clock.advance(29 * MINUTE_MS)
  expect(source.current().svid).toBe(first)
  await clock.advance(2 * MINUTE_MS)
  await expect.poll(() => seen).toEqual(['spiffe://east/node/n1'])
  expect(source.current().svid).not.toBe(first)
  expect(state.tries).toBe(2)
})

it('keeps the last good identity while the authority is unreachable, and retries with backoff', async () => {
  const { clock, source, state } = await setUp()
  const first = source.current().svid
  state.isAway = true
  await clock.advance(40 * MINUTE_MS)
  expect(source.current().svid).toBe(first)
  expect(state.tries).toBeGreaterThan(5)
  expect(state.tries).toBeLessThan(40)
  state.isAway = false
  await clock.advance(MINUTE_MS)
  await expect.poll(() => source.current().svid === first).toBe(false)
})

it('replaces bundles without a renewal', async () => {
  const { source, state } = await setUp()
  source.setBundles(new Map())
  expect(source.current().bundles.size).toBe(0)
  expect(state.tries).toBe(1)
})

it('starts with the stored identity, from a file that only its owner can read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nsm-identity-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = identityFile(join(directory, 'identity.json'))
  const { source } = await setUp({ ...file })
  expect((await stat(join(directory, 'identity.json'))).mode & 0o777).toBe(0o600)
  const again = await setUp({ ...file })
  expect(again.state.tries).toBe(0)
  const { svid, bundles } = again.source.current()
  expect(svid.privateKey.equals(source.current().svid.privateKey)).toBe(true)
  expect({ ...svid, privateKey: undefined }).toEqual({ ...source.current().svid, privateKey: undefined })
  expect([...bundles.keys()]).toEqual(['east'])
})

it('asks the authority when the stored identity has expired', async () => {
  const { clock, source } = await setUp()
  const later = new FakeClock(clock.nowMs() + 61 * MINUTE_MS)
  const authority = new Authority(await createAuthorityMaterial('east', later), later)
  const fresh = await renewingSource({
    obtain: () => issueIdentity(authority, { spiffeId: 'spiffe://east/a' }),
    load: async () => source.current(),
    clock: later,
    logger: silentLogger,
  })
  onTestFinished(() => fresh.close())
  expect(fresh.current().svid.spiffeId).toBe('spiffe://east/a')
})

it('reports a damaged file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nsm-identity-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'identity.json'), '{"version":2}')
  await expect(identityFile(join(directory, 'identity.json')).load()).rejects.toMatchObject({
    code: 'failed_precondition',
  })
})
