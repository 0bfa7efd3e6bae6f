import { createHmac, createPublicKey, type JsonWebKey, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenBinding } from '../api/index.ts'
import { type PathTokenCheck, verifyPathTokens } from './path-tokens.ts'
import type { Bundles } from './svid.ts'
import { type Forged, forgeAuthority, forgeLeaf, NOW_MS } from './testing/forge-fixture.ts'
import { checkToken, isSignedBy, parseToken, signToken } from './token.ts'

const MINUTE_MS = 60_000
const ids = { client: 'spiffe://east/client', node: 'spiffe://east/node', server: 'spiffe://east/server' }

let authority: Forged
let client: Forged
let node: Forged
let bundles: Bundles

beforeAll(async () => {
  authority = await forgeAuthority()
  client = await forgeLeaf(authority, { uris: [ids.client] })
  node = await forgeLeaf(authority, { uris: [ids.node] })
  bundles = new Map([['east', [authority.der]]])
})

const encode = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url')
const inTenMinutes = Math.floor(NOW_MS / 1000) + 600

/** A correctly signed token with arbitrary header and claims. */
function handmade(signer: Forged, header: object, claims: object): string {
  const signed = `${encode(header)}.${encode(claims)}`
  const key = { key: signer.svid.privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}

const token = (signer: Forged, audience: string, binding?: TokenBinding) =>
  signToken(signer.svid, { audience, expiresMs: NOW_MS + 10 * MINUTE_MS, ...(binding && { binding }) })

const segmentsOf = (tokens: readonly string[]) => tokens.map((each, index) => ({ id: `c-${index}`, token: each }))

describe('parseToken', () => {
  it('reads the tokens of signToken', () => {
    const read = parseToken(token(client, ids.node))
    expect(read).toMatchObject({ subject: ids.client, audience: [ids.node], expiresMs: NOW_MS + 10 * MINUTE_MS })
    expect(() => checkToken(read, createPublicKey(client.svid.privateKey), NOW_MS)).not.toThrow()
    expect(() => checkToken(read, createPublicKey(node.svid.privateKey), NOW_MS)).toThrow('its signature is wrong')
    expect(() => checkToken(read, createPublicKey(client.svid.privateKey), read.expiresMs)).toThrow('expired')
  })

  const claims = { sub: ids.client, aud: [ids.node], exp: inTenMinutes }
  const wrong: [string, () => string, string][] = [
    ['nothing', () => '', 'not base64url'],
    ['two parts', () => token(client, ids.node).split('.').slice(0, 2).join('.'), 'not base64url'],
    ['four parts', () => `${token(client, ids.node)}.x`, 'it does not have three parts'],
    ['alg none', () => `${encode({ alg: 'none' })}.${encode(claims)}.`, 'not signed with ES256'],
    ['alg None', () => handmade(client, { alg: 'None' }, claims), 'not signed with ES256'],
    ['alg HS256 keyed with a public key', () => hs256(claims), 'not signed with ES256'],
    ['alg ES384', () => handmade(client, { alg: 'ES384' }, claims), 'not signed with ES256'],
    ['no alg', () => handmade(client, {}, claims), 'not signed with ES256'],
    [
      'a demanded extension',
      () => handmade(client, { alg: 'ES256', crit: ['x'] }, claims),
      'critical header parameters',
    ],
    ['no expiry', () => handmade(client, { alg: 'ES256' }, { sub: ids.client, aud: [ids.node] }), 'no expiry'],
    ['an expiry that is text', () => handmade(client, { alg: 'ES256' }, { ...claims, exp: '9e9' }), 'no expiry'],
    ['no audience', () => handmade(client, { alg: 'ES256' }, { ...claims, aud: undefined }), 'no audience'],
    ['an audience of numbers', () => handmade(client, { alg: 'ES256' }, { ...claims, aud: [1] }), 'no audience'],
    ['no subject', () => handmade(client, { alg: 'ES256' }, { ...claims, sub: undefined }), 'no subject'],
    ['an array for claims', () => handmade(client, { alg: 'ES256' }, [claims]), 'not a JSON object'],
    ['x5c that is text', () => handmade(client, { alg: 'ES256', x5c: 'x' }, claims), 'its x5c is malformed'],
    ['a long x5c', () => handmade(client, { alg: 'ES256', x5c: Array(6).fill('') }, claims), 'its x5c is malformed'],
    ['a DER signature', () => derSigned(claims), 'its signature has the wrong length'],
    ['half of what it is for', () => handmade(client, { alg: 'ES256' }, { ...claims, service: 'files' }), 'malformed'],
    ['padding', () => `${token(client, ids.node)}=`, 'not base64url'],
    ['32 KiB', () => 'x'.repeat(32_768), 'it is longer than'],
  ]

  it.each(wrong)('refuses a token with %s', (_, make, reason) => {
    expect(() => parseToken(make())).toThrow(reason)
  })

  function hs256(claims: object): string {
    const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`
    const key = createPublicKey(client.svid.privateKey).export({ format: 'pem', type: 'spki' })
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
  }

  function derSigned(claims: object): string {
    const signed = `${encode({ alg: 'ES256' })}.${encode(claims)}`
    return `${signed}.${sign('sha256', Buffer.from(signed), client.svid.privateKey).toString('base64url')}`
  }

  it('does not accept a signature of zeros', () => {
    const [head, body] = token(client, ids.node).split('.')
    const zeros = parseToken(`${head}.${body}.${Buffer.alloc(64).toString('base64url')}`)
    expect(isSignedBy(zeros, createPublicKey(client.svid.privateKey))).toBe(false)
  })
})

describe('verifyPathTokens', () => {
  const check = (tokens: readonly string[], changes: Partial<PathTokenCheck> = {}) =>
    verifyPathTokens({
      segments: segmentsOf(tokens),
      service: 'files',
      peerIndex: tokens.length - 1,
      peer: { spiffeId: ids.node, chain: [node.der] },
      audience: ids.server,
      bundles,
      nowMs: NOW_MS,
      ...changes,
    })

  it('accepts a path of chained and signed tokens', () => {
    const read = check([token(client, ids.node), token(node, ids.server)])
    expect(read.map(({ subject }) => subject)).toEqual([ids.client, ids.node])
  })

  it('accepts a token that the peer signed with its renewed SVID', async () => {
    const renewed = await forgeLeaf(authority, { uris: [ids.node] })
    expect(() => check([token(client, ids.node), token(renewed, ids.server)])).not.toThrow()
  })

  it('accepts an upstream token without certificates, but verifies the signature of that of the peer', () => {
    const upstream = handmade(
      client,
      { alg: 'ES256', typ: 'JWT' },
      { sub: ids.client, aud: [ids.node], exp: inTenMinutes },
    )
    expect(() => check([upstream, token(node, ids.server)])).not.toThrow()
    const claims = { sub: ids.node, aud: [ids.server], exp: inTenMinutes }
    expect(() => check([upstream, handmade(node, { alg: 'ES256' }, claims)])).not.toThrow()
    expect(() => check([upstream, handmade(client, { alg: 'ES256' }, claims)])).toThrow('its signature is wrong')
  })

  it('refuses an upstream token before that of the peer where unsigned paths are not allowed', () => {
    const upstream = handmade(
      client,
      { alg: 'ES256', typ: 'JWT' },
      { sub: ids.client, aud: [ids.node], exp: inTenMinutes },
    )
    const never = { unsigned: 'never' } as const
    expect(() => check([upstream, token(node, ids.server)], never)).toThrow('unsigned paths are not allowed')
    const bound = token(client, ids.node, { connection: 'c-0', service: 'files' })
    expect(() => check([bound, token(node, ids.server)], never)).not.toThrow()
  })

  it('refuses a token before that of the peer that is for any connection, where unsigned paths are not allowed', () => {
    const tokens = [token(client, ids.node), token(node, ids.server)]
    expect(() => check(tokens, { unsigned: 'never' })).toThrow('it does not say for which connection it is')
    expect(() => check(tokens, { unsigned: 'upstream' })).not.toThrow()
  })

  it.each([
    ['files', 'files', undefined],
    ['files@east', 'files', undefined],
    ['files', 'files@east', undefined],
    ['files@my.cluster', 'files', undefined],
    ['files@west', 'files@west', undefined],
    ['files@west', 'files', 'another network service'],
    ['files', 'files@west', 'another network service'],
    ['mail', 'files', 'another network service'],
    ['mail@my.cluster', 'files', 'another network service'],
    ['', 'files', 'another network service'],
  ])('takes a token for %s for a request of %s (%s)', (meant, asked, reason) => {
    const known = new Map([...bundles, ['west', []]])
    const tokens = [token(client, ids.node, { connection: 'c-0', service: meant }), token(node, ids.server)]
    const run = () => check(tokens, { service: asked, bundles: known })
    if (reason === undefined) expect(run).not.toThrow()
    else expect(run).toThrow(reason)
  })

  it('lets a client verify the path in the answer', () => {
    const tokens = [token(client, ids.node), token(node, ids.server)]
    expect(() =>
      verifyPathTokens({
        segments: segmentsOf(tokens),
        peerIndex: 1,
        peer: { spiffeId: ids.node, chain: [node.der] },
        bundles,
        nowMs: NOW_MS,
      }),
    ).not.toThrow()
  })

  const wrong: [string, () => unknown, string][] = [
    ['no tokens', () => check([]), 'the peer has sent none'],
    ['a missing token', () => check(['', token(node, ids.server)]), 'not base64url'],
    [
      'segments in another order',
      () => check([token(node, ids.server), token(client, ids.node)]),
      'its audience is not the next',
    ],
    [
      'a segment cut out',
      () => check([token(client, ids.node), token(client, ids.server)]),
      'its audience is not the next',
    ],
    ['somebody else as caller', () => check([token(client, ids.server)]), 'its subject is not the peer'],
    [
      'a token for somebody else',
      () => check([token(client, ids.node), token(node, ids.client)]),
      'its audience is someone else',
    ],
    [
      'an expired token of the first one',
      () => check([signToken(client.svid, { audience: ids.node, expiresMs: NOW_MS }), token(node, ids.server)]),
      'expired',
    ],
    [
      'a certificate of somebody else',
      () => {
        const x5c = [Buffer.from(node.der).toString('base64')]
        const claims = { sub: ids.client, aud: [ids.node], exp: inTenMinutes }
        return check([handmade(node, { alg: 'ES256', x5c }, claims), token(node, ids.server)])
      },
      'its certificate belongs to another subject',
    ],
    [
      'a certificate that did not sign it',
      () => {
        const x5c = [Buffer.from(client.der).toString('base64')]
        const claims = { sub: ids.client, aud: [ids.node], exp: inTenMinutes }
        return check([handmade(node, { alg: 'ES256', x5c }, claims), token(node, ids.server)])
      },
      'its signature is wrong',
    ],
    [
      'a token for another connection',
      () => check([token(client, ids.node, { connection: 'c-1', service: 'files' }), token(node, ids.server)]),
      'it is for another connection',
    ],
    [
      'a token for no connection',
      () => check([token(client, ids.node, { connection: '', service: '' }), token(node, ids.server)]),
      'it is for another connection',
    ],
    [
      'a token of the peer for another connection',
      () => check([token(client, ids.node), token(node, ids.server, { connection: 'c-0', service: 'files' })]),
      'it is for another connection',
    ],
    [
      'a domain that is not trusted',
      () => check([token(client, ids.node), token(node, ids.server)], { bundles: new Map() }),
      'its trust domain is not trusted',
    ],
  ]

  it.each(wrong)('refuses a path with %s', (_, attempt, reason) => {
    expect(attempt).toThrow(reason)
  })
})

const vectors = new URL('../../../shared/vectors/json_web_signature_test.json', import.meta.url)

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly jws: unknown
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface Group {
  readonly public?: JsonWebKey & { readonly alg?: string }
  readonly tests: readonly Vector[]
}

describe.skipIf(!existsSync(vectors))('Wycheproof json_web_signature (skipped where shared/vectors is absent)', () => {
  const groups: readonly Group[] = existsSync(vectors) ? JSON.parse(readFileSync(vectors, 'utf8')).testGroups : []
  const cases = groups.flatMap((group) => group.tests.map((test) => ({ group, ...test })))

  it.each(cases)('$tcId $comment: $result', ({ group, jws, result }) => {
    const isES256 = isVerificationKey(group.public)
    const accepted = isAccepted(jws, isES256 ? group.public : undefined)
    if (!isES256 || result === 'invalid') expect(accepted).toBe(false)
    else if (result === 'valid') expect(accepted).toBe(true)
  })
})

/** Our keys come from certificates, whose key usage corresponds to `use` and `key_ops` of a JWK. */
function isVerificationKey(jwk: JsonWebKey | undefined): boolean {
  const { kty, crv, alg = 'ES256', use = 'sig', key_ops: operations = ['verify'] } = jwk ?? {}
  return kty === 'EC' && crv === 'P-256' && alg === 'ES256' && use === 'sig' && [operations].flat().includes('verify')
}

/** Verifies only the signature, because the vectors have other claims than ours. */
function isAccepted(jws: unknown, jwk: JsonWebKey | undefined): boolean {
  if (typeof jws !== 'string') return false
  try {
    const [head = '', body = '', tail = '', ...more] = jws.split('.')
    const ours = encode({ sub: 'x', aud: [], exp: 1 })
    if (more.length > 0) return false
    const token = parseToken(`${head}.${ours}.${tail}`)
    if (jwk === undefined) return false
    return isSignedBy({ ...token, signed: `${head}.${body}` }, createPublicKey({ key: jwk, format: 'jwk' }))
  } catch {
    return false
  }
}
