/**
 * Everything about one connection happens one after the other: its requests, refreshes and closes never overlap, those
 * of different connections run side by side. Only the caller that opened a connection may touch it.
 */
import type { Connection } from '../api/index.ts'
import { type KeyedQueue, NsmError, type Step } from '../base/index.ts'
import type { Arrived } from './update-path.ts'

export interface Owned {
  /** SPIFFE ID of the caller that opened the connection. */
  readonly owner: string
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
  return function begin({ connection: { id }, call }, next) {
    return queue.run(id, async () => {
      const known = find(id)
      if (known !== undefined && known.owner !== call.peer.spiffeId) throw notTheOwner(id, call.peer.spiffeId)
      return next({ known })
    })
  }
}

function notTheOwner(id: string, caller: string): NsmError {
  return new NsmError('permission_denied', 'Cannot touch the connection: it belongs to another client', {
    fields: { connection: id, caller },
  })
}
