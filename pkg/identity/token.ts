/**
 * NSM's path tokens: JWTs with the claims sub, aud and exp, signed with ES256 only. Ours carry the certificate chain of
 * the signer (x5c), so that every application on the path can verify them, not only the next one, and the private claims
 * connection and service, so that none of these can use them for anything else.
 *
 * @see RFC 7515 (x5c), RFC 7518 section 3.4 (ES256), RFC 7519
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { MAX_TOKEN_CHARS, type TokenBinding } from '../api/index.ts'
import { NsmError, type NsmErrorOptions } from '../base/index.ts'
import { MAX_CHAIN_CERTIFICATES } from './certificate.ts'
import { signatureFromDer, signatureToDer } from './ecdsa-signature.ts'
import type { Svid } from './svid.ts'

const SIGNATURE_BYTES = 64
/** Of 1 to 2 kB each, and of what they say. The oldest goes first. */
const MAX_HEADERS = 256

export interface PathToken {
  readonly subject: string
  readonly audience: readonly string[]
  readonly expiresMs: number
  /** Undefined in tokens of upstream programs, and of earlier versions. */
  readonly binding: TokenBinding | undefined
  /** DER certificates of the signer, leaf first; empty if the token carries none. */
  readonly chain: readonly Uint8Array[]
  readonly signed: string
  readonly signature: Uint8Array
}

export interface TokenRequest {
  /** SPIFFE ID of the recipient. */
  readonly audience: string
  readonly expiresMs: number
  /** Only tokens of earlier versions lack it. */
  readonly binding?: TokenBinding
}

export function signToken(svid: Svid, { audience, expiresMs, binding }: TokenRequest): string {
  const header = headerOf(svid)
  const claims = encode({ sub: svid.spiffeId, aud: [audience], exp: Math.floor(expiresMs / 1000), ...binding })
  const signed = `${header}.${claims}`
  const signature = signatureFromDer(sign('sha256', Buffer.from(signed), svid.privateKey))
  return `${signed}.${signature.toString('base64url')}`
}

const ownHeaders = new WeakMap<Svid, string>()

function headerOf(svid: Svid): string {
  const known = ownHeaders.get(svid)
  if (known !== undefined) return known
  const x5c = svid.chain.map((der) => Buffer.from(der).toString('base64'))
  const header = encode({ alg: 'ES256', typ: 'JWT', x5c })
  ownHeaders.set(svid, header)
  return header
}

/**
 * Parses a token without verifying it.
 *
 * @throws {NsmError} `unauthenticated`
 */
export function parseToken(jwt: string): PathToken {
  if (jwt.length > MAX_TOKEN_CHARS) refuse(`it is longer than ${MAX_TOKEN_CHARS} characters`)
  const [head = '', body = '', tail = '', ...more] = jwt.split('.')
  if (more.length > 0) refuse('it does not have three parts')
  const chain = readHeader(head)
  const claims = decode(body)
  const signature = decodeBytes(tail)
  if (signature.length !== SIGNATURE_BYTES) refuse('its signature has the wrong length')
  return { ...readClaims(claims), chain, signed: `${head}.${body}`, signature }
}

/** @throws {NsmError} `unauthenticated` when the token was not signed with `key`, or has expired */
export function checkToken(token: PathToken, key: KeyObject, nowMs: number): void {
  checkNotExpired(token, nowMs)
  if (!isSignedBy(token, key)) refuse('its signature is wrong')
}

export function checkNotExpired(token: PathToken, nowMs: number): void {
  if (nowMs < token.expiresMs) return
  refuse('it has expired', { fields: { subject: token.subject, expired: new Date(token.expiresMs).toISOString() } })
}

export function isSignedBy({ signed, signature }: PathToken, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false
  return verify('sha256', Buffer.from(signed), key, signatureToDer(signature))
}

/** The certificates in the headers of tokens: all that one signer signs with one certificate have the same header. */
const headers = new Map<string, PathToken['chain']>()

function readHeader(head: string): PathToken['chain'] {
  const known = headers.get(head)
  if (known !== undefined) return known
  const header = decode(head)
  if (header['alg'] !== 'ES256') refuse('it is not signed with ES256')
  if (header['crit'] !== undefined) refuse('it has critical header parameters')
  const chain = readX5c(header['x5c'])
  headers.set(head, chain)
  const [oldest = head] = headers.keys()
  if (headers.size > MAX_HEADERS) headers.delete(oldest)
  return chain
}

type Claims = Readonly<Record<string, unknown>>

function readClaims(claims: Claims): Pick<PathToken, 'subject' | 'audience' | 'expiresMs' | 'binding'> {
  const { sub: subject, aud, exp } = claims
  if (typeof subject !== 'string') refuse('it has no subject')
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audience.every((one) => typeof one === 'string')) refuse('it has no audience')
  if (typeof exp !== 'number' || !Number.isFinite(exp)) refuse('it has no expiry')
  return { subject, audience, expiresMs: exp * 1000, binding: readBinding(claims) }
}

function readBinding({ connection, service }: Claims): TokenBinding | undefined {
  if (connection === undefined && service === undefined) return undefined
  if (typeof connection !== 'string' || typeof service !== 'string') refuse('what it is for is malformed')
  return { connection, service }
}

function readX5c(x5c: unknown): readonly Uint8Array[] {
  if (x5c === undefined) return []
  if (!Array.isArray(x5c) || x5c.length > MAX_CHAIN_CERTIFICATES) refuse('its x5c is malformed')
  return x5c.map((der: unknown) =>
    typeof der === 'string' ? Buffer.from(der, 'base64') : refuse('its x5c is malformed'),
  )
}

function encode(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}

function decode(part: string): Record<string, unknown> {
  const json = parseJson(decodeBytes(part))
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse('it is not a JSON object')
  return { ...json }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    refuse('it is not JSON', { cause })
  }
}

/** Accepts only the canonical encoding: no padding, no other alphabet, no trailing bits. */
function decodeBytes(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : refuse('it is not base64url')
}

function refuse(reason: string, options: NsmErrorOptions = {}): never {
  throw new NsmError('unauthenticated', `Cannot accept the token: ${reason}`, options)
}
