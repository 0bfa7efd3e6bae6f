/** Trust at the protobuf border: as the authority sends it, and as a node keeps it on disk. */
import { authorityV1 } from '../../api/index.ts'
import type { TrustState } from './trust-state.ts'

export function trustFromProto(message: authorityV1.TrustState): TrustState {
  return message
}

export function encodeTrust(state: TrustState): Uint8Array {
  return authorityV1.TrustState.encode(trustToProto(state)).finish()
}

export function decodeTrust(bytes: Uint8Array): TrustState {
  return trustFromProto(authorityV1.TrustState.decode(bytes))
}

function trustToProto({ revision, trustDomain, authorities, domains, revoked }: TrustState): authorityV1.TrustState {
  return {
    revision,
    trustDomain,
    authorities: authorities.map((each) => Buffer.from(each)),
    domains: domains.map((each) => ({
      trustDomain: each.trustDomain,
      authorities: each.authorities.map((der) => Buffer.from(der)),
      exportedServices: [...each.exportedServices],
    })),
    revoked: [...revoked],
  }
}
