const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)
const MAX_CHARS = 253

/**
 * Whether `name` can be the name of a host: labels of letters, digits, hyphens, and underscores, which RFC 1123 does not
 * have and many deployments do.
 */
export function isHostName(name: string): boolean {
  return name.length <= MAX_CHARS && HOST_NAME.test(name)
}
