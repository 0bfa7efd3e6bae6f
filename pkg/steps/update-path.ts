import { randomUUID } from 'node:crypto'
import { arrive, type Call, type Connection, type ConnectionRequest, leave } from '../api/index.ts'
import type { Step } from '../base/index.ts'

/** A call as `rpc` hands it over. */
export interface Incoming {
  readonly request: ConnectionRequest
  readonly call: Call
}

/** The same, once the path has been followed to this application. */
export interface Arrived extends Incoming {
  /** In the view of this application. */
  readonly connection: Connection
}

export interface PathParts {
  /** The name of this application: that of its path segments. */
  readonly name: string
  /** The id that the caller's connection has here already, where it has one. */
  idFor?(connection: Connection, call: Call): string | undefined
}

/**
 * Enters the path, and gives the caller its own view of the answer. A caller that does not know our id, because it has
 * lost our answer or restarted, keeps the id that `idFor` finds: to ask twice is to ask once.
 */
export function updatePath({ name, idFor }: PathParts): Step<Incoming, Pick<Arrived, 'connection'>, Connection> {
  return async function updatePath({ request, call }, next) {
    const newId = () => idFor?.(request.connection, call) ?? randomUUID()
    const connection = arrive(request.connection, { name, newId })
    return leave(await next({ connection }), request.connection)
  }
}
