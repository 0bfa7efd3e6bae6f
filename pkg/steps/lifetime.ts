/**
 * The life of a connection at one application: its requests, refreshes and closes happen one after the other, only the
 * caller that opened it may touch it, and it lasts until the token expires with which it was last requested. Different
 * connections run side by side.
 */
import type { Connection, Peer } from '../api/index.ts'
import { type Deadlines, type KeyedQueue, NsmError, type Step } from '../base/index.ts'
import type { Arrived } from './path.ts'
import type { Verified } from './path-tokens.ts'

export interface Owned {
  /** SPIFFE ID of the caller that opened the connection. */
  readonly owner: string
  /** The network namespace of a caller on this machine: two pods of one user have the same SPIFFE ID. */
  readonly ownerNamespace: string | undefined
}

/** Who a caller is, as {@link Owned} remembers it. */
export function ownerOf({ spiffeId, attestation }: Peer): Owned {
  return { owner: spiffeId, ownerNamespace: attestation?.namespace }
}

/** Whether the peer has the owner's SPIFFE ID, but is another client. */
export function isNamesake({ owner, ownerNamespace }: Owned, peer: Peer): boolean {
  return owner === peer.spiffeId && ownerNamespace !== peer.attestation?.namespace
}

export interface Begun<Known extends Owned> {
  /** The connection as it stands; undefined for a new one. */
  readonly known: Known | undefined
}

export interface BeginParts<Known extends Owned> {
  readonly queue: KeyedQueue
  find(id: string): Known | undefined
}

export function begin<Known extends Owned>(parts: BeginParts<Known>): Step<Arrived, Begun<Known>, Connection> {
  const { queue, find } = parts
  return async function begin({ connection: { id }, call }, next) {
    return queue.run(id, async () => {
      const known = find(id)
      if (known !== undefined && !isOwner(known, call.peer)) throw notTheOwner(id, call.peer.spiffeId)
      return next({ known })
    })
  }
}

type Expiring = Pick<Arrived, 'connection'> & Pick<Verified, 'expiresMs'>

export function expire(deadlines: Deadlines): Step<Expiring, object, Connection> {
  return async function expire({ connection, expiresMs }, next) {
    const answer = await next({})
    deadlines.set(connection.id, expiresMs)
    return answer
  }
}

function isOwner(known: Owned, peer: Peer): boolean {
  return known.owner === peer.spiffeId && !isNamesake(known, peer)
}

function notTheOwner(id: string, caller: string): NsmError {
  return new NsmError('permission_denied', 'Cannot touch the connection: it belongs to another client', {
    fields: { connection: id, caller },
  })
}
