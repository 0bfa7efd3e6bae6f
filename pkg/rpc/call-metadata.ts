/**
 * The metadata of calls: the caller's token for us, and the path of a registration. Names and formats are those of
 * upstream: `nsm-client-token`, `nsm-client-token-expires` (RFC 3339), `path` (JSON with Go's field names).
 */
import { Metadata } from '@grpc/grpc-js'
import { MAX_PATH_SEGMENTS, type RegistrationPath, type Token } from '../api/index.ts'
import { NsmError } from '../base/index.ts'

const TOKEN = 'nsm-client-token'
const EXPIRES = 'nsm-client-token-expires'
const PATH = 'path'
/** Ours: milliseconds since the epoch. */
const CLOCK = 'nsmesh-clock'

const MAX_PATH_CHARS = 64 * 1024

/** Returns undefined unless both headers have exactly one value. */
export function readToken(metadata: Metadata): Token | undefined {
  const jwt = only(metadata, TOKEN)
  const expiresMs = Date.parse(only(metadata, EXPIRES) ?? '')
  return jwt === undefined || Number.isNaN(expiresMs) ? undefined : { jwt, expiresMs }
}

export function writeToken(metadata: Metadata, token: Token): void {
  metadata.set(TOKEN, token.jwt)
  metadata.set(EXPIRES, new Date(token.expiresMs).toISOString())
}

/** What the caller's clock shows; undefined where it does not say. */
export function readClock(metadata: Metadata): number | undefined {
  const nowMs = Number(only(metadata, CLOCK))
  return Number.isSafeInteger(nowMs) ? nowMs : undefined
}

export function writeClock(metadata: Metadata, nowMs: number): void {
  metadata.set(CLOCK, String(Math.round(nowMs)))
}

/** @throws {NsmError} `invalid_argument` */
export function readPath(metadata: Metadata): RegistrationPath | undefined {
  const json = only(metadata, PATH)
  return json === undefined ? undefined : parsePath(json)
}

export function writePath(metadata: Metadata, { index, tokens }: RegistrationPath): void {
  metadata.set(PATH, JSON.stringify({ Index: index, PathSegments: tokens.map((token) => ({ token })) }))
}

export function pathMetadata(path: RegistrationPath): Metadata {
  const metadata = new Metadata()
  writePath(metadata, path)
  return metadata
}

/** The callee's view of a path: the caller's view, the caller's token for us, and our token for the caller. */
export function extendPath(path: RegistrationPath, callerToken: string, ownToken: string): RegistrationPath {
  return { index: path.index + 1, tokens: [...path.tokens.slice(0, path.index), callerToken, ownToken] }
}

function parsePath(json: string): RegistrationPath {
  if (json.length > MAX_PATH_CHARS) refuse('it is too long')
  const value = parseJson(json)
  if (typeof value !== 'object' || value === null) refuse('it is not an object')
  const { Index: index = 0, PathSegments: segments = [] } = value as { Index?: unknown; PathSegments?: unknown }
  const list: readonly unknown[] = Array.isArray(segments)
    ? segments
    : segments === null
      ? []
      : refuse('PathSegments is not a list')
  if (list.length > MAX_PATH_SEGMENTS) refuse('it has too many segments')
  if (typeof index !== 'number' || !Number.isInteger(index)) refuse('Index is not an integer')
  if (index < 0 || index > list.length) refuse('Index is not one of its segments')
  return { index, tokens: list.map(readSegment) }
}

function readSegment(segment: unknown): string {
  if (typeof segment !== 'object' || segment === null) refuse('a segment is not an object')
  const { token = '' } = segment as { token?: unknown }
  return typeof token === 'string' ? token : refuse('a token is not a string')
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    refuse('it is not JSON')
  }
}

function only(metadata: Metadata, key: string): string | undefined {
  const [value, ...others] = metadata.get(key)
  return typeof value === 'string' && others.length === 0 ? value : undefined
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', `Cannot parse the path metadata: ${reason}`)
}
