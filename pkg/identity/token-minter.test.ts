import { beforeAll, expect, it } from 'vitest'
import { FakeClock } from '../base/testing/index.ts'
import type { Svid } from './svid.ts'
import { forgeAuthority, forgeLeaf, NOW_MS } from './testing/forge-fixture.ts'
import { parseToken } from './token.ts'
import { TokenMinter } from './token-minter.ts'

const LIFETIME_MS = 600_000
const PEER = 'spiffe://east/node'
const files = { connection: 'c-1', service: 'files' }
let svid: Svid

beforeAll(async () => {
  svid = (await forgeLeaf(await forgeAuthority(), { uris: ['spiffe://east/client'] })).svid
})

it('TokenMinter reuses a token for the same peer, connection and service only', () => {
  const minter = new TokenMinter(new FakeClock(NOW_MS), LIFETIME_MS)
  const first = minter.token(svid, PEER, files)
  expect(minter.token(svid, PEER, { ...files })).toBe(first)
  expect(parseToken(first.jwt)).toMatchObject({ audience: [PEER], binding: files })
  const others = [
    minter.token(svid, 'spiffe://east/other', files),
    minter.token(svid, PEER, { ...files, connection: 'c-2' }),
    minter.token(svid, PEER, { ...files, service: 'mail' }),
    minter.token(svid, PEER),
  ]
  expect(new Set([first, ...others].map(({ jwt }) => jwt)).size).toBe(5)
  expect(parseToken(minter.token(svid, PEER).jwt).binding).toEqual({ connection: '', service: '' })
})

it('TokenMinter signs anew when a third of the lifetime is left, and forgets the oldest tokens', async () => {
  const clock = new FakeClock(NOW_MS)
  const minter = new TokenMinter(clock, LIFETIME_MS)
  const first = minter.token(svid, PEER, files)
  await clock.advance(LIFETIME_MS / 2)
  expect(minter.token(svid, PEER, files)).toBe(first)
  await clock.advance(LIFETIME_MS / 4)
  const second = minter.token(svid, PEER, files)
  expect(second.expiresMs).toBe(NOW_MS + (LIFETIME_MS * 7) / 4)
  for (let each = 0; each < 4096; each += 1) minter.token(svid, PEER, { ...files, connection: `other-${each}` })
  expect(minter.token(svid, PEER, files)).not.toBe(second)
})
