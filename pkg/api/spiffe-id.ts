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
 * Parses a SPIFFE ID in canonical form: a lower-case trust domain, no port, user, query, fragment or percent-encoding,
 * and no path segments that are empty, `.` or `..`. So two IDs are equal exactly if their strings are.
 *
 * @throws {NsmError} `invalid_argument`
 * @see SPIFFE-ID section 2
 */
export function parseSpiffeId(id: string): SpiffeId {
  if (id.length > MAX_ID_CHARS) refuse(id, `it is longer than ${MAX_ID_CHARS} characters`)
  const match = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/.exec(id)
  if (match === null) refuse(id, 'it is not spiffe://<trust domain>/<path> in canonical form')
  const [, trustDomain = '', path = ''] = match
  if (trustDomain.length > MAX_TRUST_DOMAIN_CHARS)
    refuse(id, `its trust domain is longer than ${MAX_TRUST_DOMAIN_CHARS} characters`)
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) refuse(id, 'a path segment is . or ..')
  return { id, trustDomain, path }
}

function refuse(id: string, reason: string): never {
  throw new NsmError('invalid_argument', `Cannot parse the SPIFFE ID: ${reason}`, { fields: { id: id.slice(0, 256) } })
}
