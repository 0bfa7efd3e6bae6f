import { NsmError } from '../base/index.ts'

export interface SpiffeId {
  /** `spiffe://<trustDomain><path>` */
  readonly id: string
  readonly trustDomain: string
  /** Empty, or begins with `/`. */
  readonly path: string
}

const MAX_ID_CHARS = 2048
const MAX_TRUST_DOMAIN_CHARS = 255

/**
 * Reads a SPIFFE ID in its one canonical form: lower-case trust domain, no port, user, query, fragment or escapes, and
 * no empty or dotted path segments, so that equal strings are the only equal identities.
 *
 * @throws {NsmError} `invalid_argument`
 * @see SPIFFE-ID section 2
 */
export function parseSpiffeId(id: string): SpiffeId {
  if (id.length > MAX_ID_CHARS) refuse(id, `longer than ${MAX_ID_CHARS} characters`)
  const match = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/.exec(id)
  if (match === null) refuse(id, 'not spiffe://<trust domain>/<path> in canonical form')
  const [, trustDomain = '', path = ''] = match
  if (trustDomain.length > MAX_TRUST_DOMAIN_CHARS) refuse(id, 'trust domain too long')
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) refuse(id, 'dots as a path segment')
  return { id, trustDomain, path }
}

function refuse(id: string, reason: string): never {
  throw new NsmError('invalid_argument', 'Cannot read SPIFFE ID', { fields: { id: id.slice(0, 256), reason } })
}
