/**
 * Who owns a registration: the first application of its path. A node registers for its workloads and may name one of
 * them, which it could have issued an identity to anyway; whatever else a caller claims, it owns what it registers.
 *
 * The owner is stored with the record, so that a restarted registry still knows. A registry that lost its disk does
 * not: then a name belongs to the first who registers it. Owners refresh within two thirds of the default expiry.
 */
import { type Call, trustDomainOf } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { isWorkloadOf } from '../policy/index.ts'
import type { RegistryRecord } from './store.ts'

/** @throws {NsmError} `permission_denied` unless the caller is of `domain`. */
export function checkOwnDomain(call: Call, domain: string): void {
  if (trustDomainOf(call.peer.spiffeId) === domain) return
  throw noPrivileges('the caller is not of this domain', { caller: call.peer.spiffeId, domain })
}

/** The path ids of what `call` registers, owner first. */
export function pathIdsOf(record: RegistryRecord, call: Call): readonly string[] {
  const caller = call.peer.spiffeId
  const claimed = record.pathIds[0]
  return claimed !== undefined && isWorkloadOf(claimed, caller) ? [claimed, caller] : [caller]
}

/**
 * @param asked what the caller sent: the name, and perhaps for whom.
 * @throws {NsmError} `permission_denied` unless the caller owns `stored` or is the owner's node.
 */
export function checkMayRemove(stored: RegistryRecord, asked: RegistryRecord, call: Call): void {
  const owner = stored.pathIds[0] ?? ''
  const [actor = ''] = pathIdsOf(asked, call)
  if (actor === owner || (actor === call.peer.spiffeId && isWorkloadOf(owner, actor))) return
  throw noPrivileges('the name has another owner', { name: stored.name, caller: actor })
}

export function noPrivileges(state: string, fields: NsmError['fields']): NsmError {
  return new NsmError('permission_denied', `Cannot change the registry: no sufficient privileges, ${state}`, { fields })
}
