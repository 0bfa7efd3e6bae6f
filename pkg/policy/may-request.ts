/**
 * Who may find and request a network service. Inside a domain everybody may, for now; across domains nobody may
 * but for what was exported to the caller's domain. Names are compared exactly: no case folding, no patterns.
 */

/** Trust domain of the caller to the services exported to it. A domain that is not joined is not in it. */
export type Exports = ReadonlyMap<string, ReadonlySet<string>>

export interface ServiceAccess {
  /** Of the caller's verified SPIFFE ID; empty when it has none. */
  readonly callerDomain: string
  readonly ownDomain: string
  readonly service: string
  readonly exports: Exports
}

export function mayRequest({ callerDomain, ownDomain, service, exports }: ServiceAccess): boolean {
  if (callerDomain === '' || service === '') return false
  return callerDomain === ownDomain || exports.get(callerDomain)?.has(service) === true
}
