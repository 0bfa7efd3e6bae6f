/** Empty when `spiffeId` is no SPIFFE ID; no trust domain is empty, so that it then equals none. */
export function trustDomainOf(spiffeId: string): string {
  return /^spiffe:\/\/([^/]+)/.exec(spiffeId)?.[1] ?? ''
}
