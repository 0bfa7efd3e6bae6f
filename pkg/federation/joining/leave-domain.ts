import type { Trust } from '../trust/trust.ts'

/**
 * Forgets a domain, what was exported to it included, so that nothing of it is trusted from now on.
 * @throws {NsmError} `not_found` when it has not joined.
 */
export function leaveDomain(trust: Trust, domain: string): void {
  trust.change(() => {
    trust.domains.remove(domain)
    trust.exported.forget(domain)
  })
}
