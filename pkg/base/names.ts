/**
 * Names, one grammar each. All are strict, so that a name has one spelling, and none that a log line, a file system, a
 * SPIFFE ID or a DNS zone would read differently.
 *
 *     domain, node      lower case, 1 to 63: part of a SPIFFE ID
 *     service, endpoint  1 to 253: `files`, or `files@east` for those of another domain
 *     object            1 to 64: ids of wires, ports and the like
 */
export const LONGEST_NAME = 253

const DNS_LIKE = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/
const REGISTERED = /^[A-Za-z0-9._-]{1,253}$/
const OBJECT = /^[A-Za-z0-9._:-]{1,64}$/

/** Whether `text` may name a domain or a node. */
export function isDomainOrNodeName(text: string): boolean {
  return DNS_LIKE.test(text)
}

/** Whether `text` may name a network service or an endpoint, without `@domain`. */
export function isRegisteredName(text: string): boolean {
  return REGISTERED.test(text)
}

/** Whether `text` may be the id of an object of the dataplane. */
export function isObjectId(text: string): boolean {
  return OBJECT.test(text)
}

/** `files@east` is `files` of the domain `east`. */
export interface QualifiedName {
  readonly name: string
  /** Empty: our own domain. */
  readonly domain: string
}

/** Splits at the first `@`, as NSM does. */
export function splitName(text: string): QualifiedName {
  const at = text.indexOf('@')
  return at < 0 ? { name: text, domain: '' } : { name: text.slice(0, at), domain: text.slice(at + 1) }
}

/** The name as it is written in another domain; an empty domain is our own. */
export function qualifyName(name: string, domain: string): string {
  return domain === '' || name === '' ? name : `${name}@${domain}`
}
