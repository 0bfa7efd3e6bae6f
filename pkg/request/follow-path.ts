import { randomUUID } from 'node:crypto'
import { arrive, type Call, type Connection, changeSegment, leave } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { ConnectionTable } from './connection-table.ts'
import type { Arrived, Incoming, PathTokens, Self } from './parts.ts'
import type { Step } from './step.ts'

/** Enters the path, and gives the caller its own view of the answer. */
export function updatePath(parts: { self: Self; table: ConnectionTable }): Step<Incoming, Arrived, Connection> {
  return async ({ request, call }, next) => {
    const connection = arriveHere(parts, request.connection, call)
    return leave(await next({ connection }), request.connection)
  }
}

/**
 * The connection as this node sees it. One of a caller that does not know our id, because it lost our answer or has
 * restarted, keeps the id that it has here: to ask twice is to ask once.
 */
export function arriveHere(
  parts: { self: Self; table: ConnectionTable },
  connection: Connection,
  call: Call,
): Connection {
  const { self, table } = parts
  const arrived = arrive(connection, {
    name: self.name,
    newId: () => table.idOf(callerKey(connection, call)) ?? randomUUID(),
  })
  if (arrived.path.index > 0) return arrived
  throw new NsmError('invalid_argument', "Cannot accept the path: it lacks the caller's own segment", {
    next: 'send a path whose current segment is the client itself',
  })
}

/** INVARIANT: two callers never have the same key; ids are only unique to the program that made them. */
export function callerKey({ id, path }: Connection, { peer }: Call): string {
  const name = path.segments[path.index]?.name ?? ''
  return JSON.stringify([peer.spiffeId, peer.attestation?.namespace ?? '', name, id])
}

/** Writes the caller's token into its segment, and ours for the caller into our own. */
export function updateToken({ tokens }: { tokens: PathTokens }): Step<Incoming & Arrived, Arrived, Connection> {
  return async ({ connection, call }, next) => {
    const { index } = connection.path
    if (call.token === undefined) {
      throw new NsmError('unauthenticated', 'Cannot accept the request: it carries no path token', {
        next: 'send nsm-client-token and nsm-client-token-expires with the request',
      })
    }
    const previous = { token: call.token.jwt, expiresMs: call.token.expiresMs }
    const own = await tokens.issue(call.peer.spiffeId)
    const signed = changeSegment(connection, index - 1, previous)
    return next({ connection: changeSegment(signed, index, { token: own.jwt, expiresMs: own.expiresMs }) })
  }
}
