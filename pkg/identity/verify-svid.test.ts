import { beforeAll, describe, expect, it } from 'vitest'
import { NsmError } from '../base/index.ts'
import type { Bundles } from './svid.ts'
import { type Forged, forgeAuthority, forgeLeaf, NOW_MS, type Shape, usage } from './testing/forge-fixture.ts'
import { verifySvid } from './verify-svid.ts'
import { x509 } from './x509.ts'

let root: Forged
let bundles: Bundles

beforeAll(async () => {
  root = await forgeAuthority()
  bundles = new Map([['east', [root.der]]])
})

const verify = (...chain: Forged[]) =>
  verifySvid(
    chain.map(({ der }) => der),
    bundles,
    NOW_MS,
  )

describe('verifySvid', () => {
  it('accepts a leaf issued by an authority of the bundle, directly or through intermediates', async () => {
    expect(verify(await forgeLeaf(root)).spiffeId.id).toBe('spiffe://east/w')
    const middle = await forgeLeaf(root, { isAuthority: true, usage: usage.keyCertSign, uris: [], name: 'CN=middle' })
    expect(verify(await forgeLeaf(middle), middle).spiffeId.path).toBe('/w')
  })

  it('accepts several authorities in a bundle, as during a rotation', async () => {
    const next = await forgeAuthority()
    bundles = new Map([['east', [next.der, root.der]]])
    expect(verify(await forgeLeaf(root)).spiffeId.id).toBe('spiffe://east/w')
    expect(verify(await forgeLeaf(next)).spiffeId.id).toBe('spiffe://east/w')
  })

  it('expires with the certificate that expires first', async () => {
    const brief = await forgeAuthority('east', { notAfter: NOW_MS + 5000 })
    const { der } = await forgeLeaf(brief)
    expect(verifySvid([der], new Map([['east', [brief.der]]]), NOW_MS).expiresMs).toBe(NOW_MS + 5000)
  })

  const wrongLeaves: [string, Shape, string][] = [
    ['no URI name', { uris: [] }, 'it does not have exactly one URI name'],
    ['two URI names', { uris: ['spiffe://east/a', 'spiffe://east/b'] }, 'it does not have exactly one URI name'],
    ['a URI of another scheme', { uris: ['https://east/a'] }, 'its URI name is not a SPIFFE ID'],
    ['an upper-case trust domain', { uris: ['spiffe://EAST/a'] }, 'its URI name is not a SPIFFE ID'],
    ['an escaped path', { uris: ['spiffe://east/a%2fb'] }, 'its URI name is not a SPIFFE ID'],
    ['dots in its path', { uris: ['spiffe://east/a/../b'] }, 'its URI name is not a SPIFFE ID'],
    ['a port', { uris: ['spiffe://east:80/a'] }, 'its URI name is not a SPIFFE ID'],
    ['no path', { uris: ['spiffe://east'] }, 'the SPIFFE ID of its leaf has no path'],
    ['another trust domain', { uris: ['spiffe://west/a'] }, 'its trust domain is not trusted'],
    ['CA:true', { isAuthority: true }, 'its leaf is an authority'],
    ['no key usage', { usage: undefined }, 'the key usage of its leaf does not allow signatures'],
    [
      'the usage of another purpose',
      { usage: usage.keyEncipherment },
      'the key usage of its leaf does not allow signatures',
    ],
    [
      'keyCertSign',
      { usage: usage.digitalSignature | usage.keyCertSign },
      'the key usage of its leaf allows signing certificates',
    ],
    [
      'cRLSign',
      { usage: usage.digitalSignature | usage.cRLSign },
      'the key usage of its leaf allows signing certificates',
    ],
    ['its validity in the past', { notAfter: NOW_MS - 1000 }, 'it has expired'],
    ['its validity in the future', { notBefore: NOW_MS + 1000 }, 'it is not valid yet'],
    ['a small RSA key', { rsaBits: 1024 }, 'its key type is not supported'],
    ['a huge RSA key', { rsaBits: 4160 }, 'its key type is not supported'],
    [
      'an unknown critical extension',
      { extra: [new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] },
      'a critical extension is not supported',
    ],
  ]

  it.each(wrongLeaves)('refuses a leaf with %s', async (_, shape, reason) => {
    const leaf = await forgeLeaf(root, shape)
    expect(() => verify(leaf)).toThrow(`Cannot verify the SVID: ${reason}`)
  })

  it('refuses a leaf signed by another authority with the same name', async () => {
    const rogue = await forgeAuthority()
    const leaf = await forgeLeaf(rogue)
    expect(() => verify(leaf)).toThrow('no authority of its trust domain issued it')
    expect(() => verify(leaf, rogue)).toThrow('no authority of its trust domain issued it')
  })

  it('refuses a leaf signed by the authority of another domain', async () => {
    const west = await forgeAuthority('west')
    const leaf = await forgeLeaf(west)
    bundles = new Map([
      ['east', [root.der]],
      ['west', [west.der]],
    ])
    expect(() => verify(leaf)).toThrow('no authority of its trust domain issued it')
  })

  it('refuses a leaf signed by a leaf', async () => {
    const first = await forgeLeaf(root)
    const second = await forgeLeaf(first)
    expect(() => verify(second, first)).toThrow('no authority of its trust domain issued it')
  })

  it('refuses an intermediate below an authority that allows none', async () => {
    const strict = await forgeAuthority('east', { pathLength: 0 })
    const middle = await forgeLeaf(strict, { isAuthority: true, usage: usage.keyCertSign, uris: [], name: 'CN=middle' })
    const leaf = await forgeLeaf(middle)
    const chain = [leaf.der, middle.der]
    expect(() => verifySvid(chain, new Map([['east', [strict.der]]]), NOW_MS)).toThrow('no authority')
  })

  it('refuses an expired authority', async () => {
    const old = await forgeAuthority('east', { notAfter: NOW_MS - 1000 })
    const { der } = await forgeLeaf(old)
    expect(() => verifySvid([der], new Map([['east', [old.der]]]), NOW_MS)).toThrow('expired')
  })

  it('refuses an empty bundle, an empty chain, and chains that are too long or too large', async () => {
    const { der } = await forgeLeaf(root)
    expect(() => verifySvid([der], new Map([['east', []]]), NOW_MS)).toThrow('no authority')
    expect(() => verifySvid([], bundles, NOW_MS)).toThrow('no certificate')
    expect(() => verifySvid(Array(6).fill(der), bundles, NOW_MS)).toThrow('its chain is too long')
    expect(() => verifySvid([der, new Uint8Array(16_384)], bundles, NOW_MS)).toThrow('its chain is too large')
  })

  it('refuses a certificate with any bit flipped, any truncation, and trailing bytes', async () => {
    const { der } = await forgeLeaf(root)
    const refused = (bytes: Uint8Array) => {
      const attempt = () => verifySvid([bytes], bundles, NOW_MS)
      expect(attempt).toThrow(NsmError)
      expect(attempt).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
    }
    for (let at = 0; at < der.length; at += 1) {
      refused(der.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte)))
      refused(der.subarray(0, at))
    }
    refused(new Uint8Array([...der, 0]))
  })
})
