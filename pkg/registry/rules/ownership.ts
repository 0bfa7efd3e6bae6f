/**
 * Who owns a registration: the first application on its path. A node registers on behalf of its workloads and may name
 * one of them as the owner, since it could issue that workload's identity anyway. Every other claim is ignored: the
 * caller owns what it registers.
 *
 * The owner is stored with the record, so a restarted registry still knows it. One that lost its records learns it from
 * the claims that it gave out (claims.ts).
 */
import { type Call, trustDomainOf } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { isNode, isWorkloadOf } from '../../policy/index.ts'
import type { RegistryRecord } from '../store/registry-store.ts'

/**
 * Workloads register at their node: it says where they are called, and the kernel tells it who they are.
 * @throws {NsmError} `permission_denied` unless the caller is a node of `domain`.
 */
export function checkNode({ peer: { spiffeId: caller } }: Call, domain: string): void {
  if (isNode(caller, domain)) return
  const isOwn = trustDomainOf(caller) === domain
  const state = isOwn ? 'the caller is not a node' : 'the caller belongs to another domain'
  throw noPrivileges(state, { caller, domain })
}

/** The path ids of the record that `call` registers, the owner's first. */
export function pathIdsOf(record: RegistryRecord, call: Call): readonly string[] {
  const caller = call.peer.spiffeId
  const claimed = record.pathIds[0]
  return claimed !== undefined && isWorkloadOf(claimed, caller) ? [claimed, caller] : [caller]
}

/**
 * @param asked the caller's message: the name, and perhaps the workload on whose behalf it calls.
 * @throws {NsmError} `permission_denied` unless the caller owns `stored` or is the node of the owner.
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
