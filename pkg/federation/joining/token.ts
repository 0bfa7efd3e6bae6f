/**
 * One-time tokens with which a node or another domain joins: the registry to call, the secret to show it, and the
 * fingerprint of the authority by which the registry is recognised. The text is base64url of JSON, so that people can
 * copy it.
 */
import { NsmError } from '../../base/index.ts'
import type { JoinKind } from '../store/trust-record.ts'

export const SECRET_BYTES = 32
export const FINGERPRINT_BYTES = 32
/** Version 1 did not say which domain may join. */
const VERSION = 2
const MAX_TOKEN_CHARS = 4_096
const MAX_ADDRESSES = 8

export interface JoinToken {
  readonly kind: JoinKind
  /** The domain to join. */
  readonly domain: string
  /** The name of the node or domain that may join with it. */
  readonly guest: string
  /** host:port of the domain's registry. */
  readonly addresses: readonly string[]
  /** base64url of {@link SECRET_BYTES} bytes. */
  readonly secret: string
  /** base64url of the SHA-256 of the DER certificate of the domain's authority. */
  readonly fingerprint: string
  readonly expiresMs: number
}

export function encodeToken({ expiresMs, ...token }: JoinToken): string {
  const json = JSON.stringify({ v: VERSION, ...token, expires: Math.floor(expiresMs / 1000) })
  return Buffer.from(json).toString('base64url')
}

/** Does not check whether the token is still good. @throws {NsmError} `invalid_argument` when `text` is not a token. */
export function decodeToken(text: string): JoinToken {
  const read = parse(text.trim())
  if (read['v'] !== VERSION) refuse('another version of nsmesh made it', 'ask for a new one, made by the same version')
  const { kind, domain, guest, addresses, secret, fingerprint, expires } = read
  if (
    (kind !== 'domain' && kind !== 'node') ||
    typeof domain !== 'string' ||
    typeof guest !== 'string' ||
    !isAddresses(addresses) ||
    !isBytes(secret, SECRET_BYTES) ||
    !isBytes(fingerprint, FINGERPRINT_BYTES) ||
    typeof expires !== 'number' ||
    !Number.isSafeInteger(expires * 1000)
  ) {
    return refuse('a field is missing or malformed')
  }
  return { kind, domain, guest, addresses, secret, fingerprint, expiresMs: expires * 1000 }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_TOKEN_CHARS || !/^[A-Za-z0-9_-]+$/.test(text)) refuse('it is not base64url')
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (typeof read === 'object' && read !== null) return { ...read }
  } catch {
    // the same answer as for JSON that is not an object
  }
  return refuse('it is cut off or mistyped')
}

function isAddresses(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_ADDRESSES &&
    value.every((address) => typeof address === 'string' && address.length <= 300)
  )
}

function isBytes(value: unknown, length: number): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64url').length === length
}

function refuse(state: string, next = 'copy the whole token as nsmctl printed it'): never {
  throw new NsmError('invalid_argument', `Cannot read the token: ${state}`, { next })
}
