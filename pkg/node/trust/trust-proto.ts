/** Trust at the protobuf border: as the authority sends it, and as a node keeps it on disk. */
import { authorityV1 } from '../../api/index.ts'
import type { FederatedDomain, TrustState } from './trust-state.ts'

export function trustFromProto({ continues: _, ...state }: authorityV1.TrustState): TrustState {
  return { ...state, aheadMs: Number(state.aheadMs) }
}

/** Puts the parts of a state together. Each has the authorities of the own domain; a domain may be in several. */
export function joinParts(parts: readonly authorityV1.TrustState[]): TrustState {
  const domains = new Map<string, FederatedDomain>()
  for (const part of parts.flatMap((each) => each.domains)) {
    const before = domains.get(part.trustDomain)
    domains.set(part.trustDomain, before === undefined ? part : joinFederated(before, part))
  }
  const { revision = 0n, trustDomain = '', authorities = [], namesake = '', aheadMs = 0n } = parts.at(-1) ?? {}
  const { diskProblem = '' } = parts.at(-1) ?? {}
  return {
    revision,
    trustDomain,
    authorities,
    domains: [...domains.values()],
    revoked: parts.flatMap((each) => each.revoked),
    namesake,
    aheadMs: Number(aheadMs),
    diskProblem,
  }
}

function joinFederated(a: FederatedDomain, b: FederatedDomain): FederatedDomain {
  return {
    trustDomain: a.trustDomain,
    authorities: [...a.authorities, ...b.authorities],
    exportedServices: [...a.exportedServices, ...b.exportedServices],
    exportedWhen: new Map([...(a.exportedWhen ?? []), ...(b.exportedWhen ?? [])]),
  }
}

export function encodeTrust(state: TrustState): Uint8Array {
  return authorityV1.TrustState.encode(trustToProto(state)).finish()
}

export function decodeTrust(bytes: Uint8Array): TrustState {
  return trustFromProto(authorityV1.TrustState.decode(bytes))
}

/** Without what passes by. */
function trustToProto({ revision, trustDomain, authorities, domains, revoked }: TrustState): authorityV1.TrustState {
  return {
    revision,
    trustDomain,
    authorities: authorities.map((each) => Buffer.from(each)),
    domains: domains.map((each) => ({
      trustDomain: each.trustDomain,
      authorities: each.authorities.map((der) => Buffer.from(der)),
      exportedServices: [...each.exportedServices],
      exportedWhen: new Map(each.exportedWhen),
    })),
    revoked: [...revoked],
    continues: false,
    namesake: '',
    aheadMs: 0n,
    diskProblem: '',
  }
}
