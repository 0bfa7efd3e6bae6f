/** The trust domain of a SPIFFE ID; empty, and so equal to no trust domain, when `spiffeId` is not a SPIFFE ID. */
export function trustDomainOf(spiffeId: string): string {
  return /^spiffe:\/\/([^/]+)/.exec(spiffeId)?.[1] ?? ''
}
