/**
 * Who may serve a network service: whoever made it, and its like on other nodes. An endpoint of somebody else would get
 * the service's clients, and what they send.
 */
import { checkAllowed, type PolicySource, type Question } from '../../policy/index.ts'
import { noPrivileges } from './ownership.ts'

/**
 * What an owner has in common with its like on other nodes: the user or the namespace, which is what a path below the
 * node begins with. `spiffe://west/node/n1/uid/1000` is `uid/1000`, `spiffe://west/node/n1/ns/shop/sa/db` is `ns/shop`.
 */
export function tenantOf(owner: string): string {
  return owner.split('/').slice(5, 7).join('/')
}

export function isOfOneTenant(owner: string, other: string): boolean {
  return tenantOf(owner) === tenantOf(other)
}

/** @throws {NsmError} `permission_denied` unless `owner` is of the same tenant as all those that hold the service. */
export function checkMayServe(service: string, owner: string, holders: readonly string[]): void {
  const other = holders.find((holder) => !isOfOneTenant(holder, owner))
  if (other === undefined) return
  throw noPrivileges('the network service belongs to another user or namespace', { service, owner, holder: other })
}

/** @throws {NsmError} `permission_denied` when the policy does not let the owner serve this. */
export function checkServingPolicy(
  policy: PolicySource,
  [owner = '', caller = owner]: readonly string[],
  what: Pick<Question, 'service' | 'endpoint' | 'labels'>,
): void {
  checkAllowed(policy, { action: 'serve', caller, client: owner, ...what, isAllowedByDefault: true })
}
