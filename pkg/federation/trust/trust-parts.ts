/**
 * A trust state in parts that each fit a message. However many nodes are revoked and services exported, what ends trust
 * arrives: a state that could not be sent would leave nodes trusting as before.
 */
import type { authorityV1 } from '../../api/index.ts'

/** Well below what a message may have. */
const MAX_PART_BYTES = 128 * 1024
/** Of what surrounds a text or certificate in a message, at most. */
const FIELD_BYTES = 8

type TrustState = authorityV1.TrustState
type FederatedDomain = authorityV1.FederatedDomain

/** The parts in order; each names the domain and its authorities. {@link TrustState.continues} is false in the last. */
export function trustParts(state: TrustState): readonly TrustState[] {
  const pieces = [
    ...piecesOf(state.revoked, (revoked) => ({ revoked, domains: [] })),
    ...state.domains.flatMap(piecesOfDomain),
  ]
  const parts: TrustState[] = []
  let current = empty(state)
  let bytes = 0
  for (const { bytes: more, revoked, domains } of pieces) {
    if (bytes > 0 && bytes + more > MAX_PART_BYTES) {
      parts.push({ ...current, continues: true })
      current = empty(state)
      bytes = 0
    }
    current.revoked.push(...revoked)
    for (const domain of domains) addDomain(current, domain)
    bytes += more
  }
  return [...parts, current]
}

interface Piece {
  readonly bytes: number
  readonly revoked: readonly string[]
  readonly domains: readonly FederatedDomain[]
}

/** In one part, a domain is one entry. */
function addDomain({ domains }: TrustState, piece: FederatedDomain): void {
  const last = domains.at(-1)
  if (last?.trustDomain !== piece.trustDomain) {
    const { exportedServices, exportedWhen } = piece
    domains.push({ ...piece, exportedServices: [...exportedServices], exportedWhen: new Map(exportedWhen) })
    return
  }
  last.exportedServices.push(...piece.exportedServices)
  for (const [service, when] of piece.exportedWhen) last.exportedWhen.set(service, when)
}

function empty(state: TrustState): TrustState {
  return { ...state, revoked: [], domains: [], continues: false }
}

/** The first piece has the authorities, and each of the others some of the services. */
function piecesOfDomain(domain: FederatedDomain): readonly Piece[] {
  const { trustDomain, authorities, exportedServices, exportedWhen } = domain
  const own = { trustDomain, authorities: [], exportedServices: [], exportedWhen: new Map<string, string>() }
  const bytes = authorities.reduce((sum, der) => sum + der.length + FIELD_BYTES, trustDomain.length + FIELD_BYTES)
  return [
    { bytes, revoked: [], domains: [{ ...own, authorities }] },
    ...piecesOf(exportedServices, (services) => ({
      revoked: [],
      domains: [{ ...own, exportedServices: services }],
    })),
    ...[...exportedWhen].map(([service, when]) => ({
      bytes: Buffer.byteLength(service) + Buffer.byteLength(when) + 3 * FIELD_BYTES,
      revoked: [],
      domains: [{ ...own, exportedWhen: new Map([[service, when]]) }],
    })),
  ]
}

/** A part is filled in steps of this size. */
const MAX_PIECE_BYTES = 16 * 1024

function piecesOf(texts: readonly string[], toPiece: (texts: string[]) => Omit<Piece, 'bytes'>): readonly Piece[] {
  const pieces: Piece[] = []
  let some: string[] = []
  let bytes = 0
  const finish = () => {
    if (some.length > 0) pieces.push({ ...toPiece(some), bytes: bytes + FIELD_BYTES })
    some = []
    bytes = 0
  }
  for (const text of texts) {
    some.push(text)
    bytes += Buffer.byteLength(text) + FIELD_BYTES
    if (bytes >= MAX_PIECE_BYTES) finish()
  }
  finish()
  return pieces
}
