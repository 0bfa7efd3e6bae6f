/**
 * The grammar of each kind of name. The grammars are strict, so that a name has exactly one spelling, which means the
 * same in a log line, a file system, a SPIFFE ID and a DNS zone.
 *
 *     domain, node       1 to 63 characters, lower case: part of a SPIFFE ID
 *     service, endpoint  1 to 253 characters: `files`, or `files@east` for one of another domain
 *     object             1 to 64 characters: ids of wires, ports and other objects of the dataplane
 */
const DNS_LIKE = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/
const REGISTERED = /^[A-Za-z0-9._-]{1,253}$/
const OBJECT = /^[A-Za-z0-9._:-]{1,64}$/

/** Whether `text` is a valid name of a domain or a node. */
export function isDomainOrNodeName(text: string): boolean {
  return DNS_LIKE.test(text)
}

/** Whether `text` is a valid name of a network service or an endpoint, without `@domain`. */
export function isRegisteredName(text: string): boolean {
  return REGISTERED.test(text)
}

/** Whether `text` is a valid id of an object of the dataplane. */
export function isObjectId(text: string): boolean {
  return OBJECT.test(text)
}

/** `files@east` is the name `files` in the domain `east`. */
export interface QualifiedName {
  readonly name: string
  /** Empty for our own domain. */
  readonly domain: string
}

/** Splits a name at its first `@`, as NSM does. */
export function splitName(text: string): QualifiedName {
  const at = text.indexOf('@')
  return at < 0 ? { name: text, domain: '' } : { name: text.slice(0, at), domain: text.slice(at + 1) }
}

/** Appends `@domain` to the name, unless the domain is empty and thereby our own. */
export function qualifyName(name: string, domain: string): string {
  return domain === '' || name === '' ? name : `${name}@${domain}`
}
