import { createHash } from 'node:crypto'

const MAX_CHARS = 253
/** RFC 1123 subdomain, which names of objects are held to. */
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const HASHED = /^x-[0-9a-f]{40}$/

/**
 * The name of the object that stands for `name`: the same where an object can have it, else a hash. No two names have one
 * object: what looks like a hash is hashed, too.
 */
export function objectNameOf(name: string): string {
  if (name.length <= MAX_CHARS && SUBDOMAIN.test(name) && !HASHED.test(name)) return name
  return `x-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`
}
