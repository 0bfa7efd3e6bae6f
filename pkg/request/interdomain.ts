/** Names of services and endpoints across domains: `files@east` is `files` in the domain `east`. */
export interface DomainName {
  readonly name: string
  /** Empty: our own domain. */
  readonly domain: string
}

/** Splits at the first `@`. */
export function splitDomain(text: string): DomainName {
  const at = text.indexOf('@')
  return at < 0 ? { name: text, domain: '' } : { name: text.slice(0, at), domain: text.slice(at + 1) }
}

export function joinDomain(name: string, domain: string): string {
  return domain === '' || name === '' ? name : `${name}@${domain}`
}
