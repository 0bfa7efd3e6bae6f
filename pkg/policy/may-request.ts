/**
 * Decides who may find and request a network service. Within a domain everyone may, for now. A caller from another
 * domain may only if the service was exported to that domain. Names must be equal: no case folding, no patterns.
 */

/** The services exported to each trust domain. Only joined domains are in it. */
export type Exports = ReadonlyMap<string, ReadonlySet<string>>

export interface ServiceAccess {
  /** The trust domain of the caller's verified SPIFFE ID; empty when it has none. */
  readonly callerDomain: string
  readonly ownDomain: string
  readonly service: string
  readonly exports: Exports
}

export function mayRequest({ callerDomain, ownDomain, service, exports }: ServiceAccess): boolean {
  if (callerDomain === '' || service === '') return false
  return callerDomain === ownDomain || exports.get(callerDomain)?.has(service) === true
}
