/** Whom a node trusts, and with what, as its domain's authority says. */
import type { Bundles } from '../../identity/index.ts'
import { compileExportConditions, type ExportConditions, type Exports } from '../../policy/index.ts'

export interface TrustState {
  /** Grows with each change. */
  readonly revision: bigint
  /** Our own domain; empty before the authority has said anything. */
  readonly trustDomain: string
  /** DER certificates of our own authority, newest first. */
  readonly authorities: readonly Uint8Array[]
  readonly domains: readonly FederatedDomain[]
  /** SPIFFE IDs of nodes that were expelled. */
  readonly revoked: readonly string[]
  /** Where another machine runs under the name of this node and is refused; empty: nowhere. Not kept on disk. */
  readonly namesake: string
  /** How far the clock of this machine was ahead of the registry's when it began to watch. Not kept on disk. */
  readonly aheadMs: number
  /** Why the registry cannot write its records; empty while it can. Not kept on disk. */
  readonly diskProblem: string
}

export interface FederatedDomain {
  readonly trustDomain: string
  readonly authorities: readonly Uint8Array[]
  /** Our network services that everybody in this domain may find and request. */
  readonly exportedServices: readonly string[]
  /** Those that some there may request, by name, with a condition that says who. */
  readonly exportedWhen?: ReadonlyMap<string, string>
}

export function bundlesOf({ trustDomain, authorities, domains }: TrustState): Bundles {
  const joined = domains.map((each) => [each.trustDomain, each.authorities] as const)
  return new Map(trustDomain === '' ? joined : [...joined, [trustDomain, authorities]])
}

/** For everybody there, or for some. */
export function exportsOf({ domains }: TrustState): Exports {
  const servicesOf = ({ exportedServices, exportedWhen }: FederatedDomain) =>
    new Set([...exportedServices, ...(exportedWhen?.keys() ?? [])])
  return new Map(domains.map((each) => [each.trustDomain, servicesOf(each)]))
}

export function exportConditionsOf({ domains }: TrustState): ExportConditions {
  return new Map(domains.map((each) => [each.trustDomain, compileExportConditions(each.exportedWhen ?? [])]))
}
