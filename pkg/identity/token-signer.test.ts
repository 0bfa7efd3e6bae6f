import { beforeAll, expect, it } from 'vitest'
import type { Bundles } from './svid.ts'
import { type Forged, forgeAuthority, forgeLeaf, NOW_MS } from './testing/forge-fixture.ts'
import { parseToken, signToken } from './token.ts'
import { verifySigner } from './token-signer.ts'

const EXPIRES_MS = NOW_MS + 600_000
let authority: Forged
let client: Forged
let bundles: Bundles

beforeAll(async () => {
  authority = await forgeAuthority()
  client = await forgeLeaf(authority, { uris: ['spiffe://east/client'] })
  bundles = new Map([['east', [authority.der]]])
})

const tokenFor = (audience: string) => parseToken(signToken(client.svid, { audience, expiresMs: EXPIRES_MS }))

it('verifySigner reads the certificates of a signer once', () => {
  const first = verifySigner(tokenFor('spiffe://east/a'), bundles, NOW_MS)
  expect(first.spiffeId.id).toBe('spiffe://east/client')
  expect(verifySigner(tokenFor('spiffe://east/b'), bundles, NOW_MS)).toBe(first)
})

it('verifySigner forgets what it knew when the bundles change, and when the certificates expire', () => {
  const token = tokenFor('spiffe://east/a')
  const { expiresMs } = verifySigner(token, bundles, NOW_MS)
  expect(() => verifySigner(token, new Map(), NOW_MS)).toThrow('its trust domain is not trusted')
  expect(() => verifySigner(token, bundles, expiresMs + 1)).toThrow('it has expired')
})

it('verifySigner takes nothing for known that was refused', () => {
  const token = tokenFor('spiffe://east/a')
  const none = new Map([['east', []]])
  for (const _ of [1, 2]) expect(() => verifySigner(token, none, NOW_MS)).toThrow('no authority')
})
