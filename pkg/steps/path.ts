/**
 * The path of a request as it arrives at an application and leaves it again. Ids are per application and stay the same
 * for the life of a connection, so a segment that is there already is kept, and only a stale one is named anew.
 */
import { randomUUID } from 'node:crypto'
import type { Call, Connection, ConnectionRequest, PathSegment } from '../api/index.ts'
import { isObjectId, isPrintable, NsmError, type Step, toPrintable } from '../base/index.ts'

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
  /** Whether the id is that of another client with the caller's SPIFFE ID, which then gets an id of its own. */
  isNamesakes?(id: string, call: Call): boolean
}

/**
 * Enters the path, and gives the caller its own view of the answer. A caller that does not know our id, because it has
 * lost our answer or restarted, keeps the id that `idFor` finds: to ask twice is to ask once.
 */
export function updatePath({
  name,
  idFor,
  isNamesakes,
}: PathParts): Step<Incoming, Pick<Arrived, 'connection'>, Connection> {
  return async function updatePath({ request, call }, next) {
    const newId = () => idFor?.(request.connection, call) ?? randomUUID()
    const isOwnId = (id: string) => isObjectId(id) && isNamesakes?.(id, call) !== true
    const connection = arrive(request.connection, { name, newId, isOwnId })
    return leave(await next({ connection }), request.connection)
  }
}

export interface Arrival {
  /** This application's name: that of its path segment. */
  readonly name: string
  /** The id for a connection that this application has not seen. */
  readonly newId: () => string
  /** Whether the caller may use the id that the path has for this application. Without it, it may. */
  readonly isOwnId?: (id: string) => boolean
}

/**
 * The connection as `name` sees it: `id` and `path.index` are those of its own segment. The current one is always the
 * caller's: nodes of two domains may have the same name.
 * @throws {NsmError} `invalid_argument` when index or id do not fit the path.
 */
export function arrive(connection: Connection, { name, newId, isOwnId = () => true }: Arrival): Connection {
  const { index, segments } = connection.path
  if (segments.length === 0) return enter(connection, 0, { ...emptySegment, name, id: connection.id || newId() })
  checkPath(connection)
  const own = segments[index + 1]
  const isOurs = own?.name === name && isOwnId(own.id)
  return enter(connection, index + 1, isOurs ? own : { ...emptySegment, name, id: newId() })
}

/** Gives `answer` back the id and the index of the application that asked with `request`. */
export function leave(answer: Connection, request: Connection): Connection {
  return { ...answer, id: request.id, path: { ...answer.path, index: request.path.index } }
}

/** The same path with one segment changed; whose view it is stays. */
export function changeSegment(connection: Connection, index: number, change: Partial<PathSegment>): Connection {
  const { path } = connection
  const segments = path.segments.map((segment, at) => (at === index ? { ...segment, ...change } : segment))
  return { ...connection, path: { ...path, segments } }
}

const emptySegment: PathSegment = { name: '', id: '', token: '', expiresMs: undefined, metrics: {} }

function enter(connection: Connection, index: number, own: PathSegment): Connection {
  const segments = [...connection.path.segments]
  segments[index] = own
  return { ...connection, id: own.id, path: { index, segments } }
}

function checkPath({ id, path: { index, segments } }: Connection): void {
  const odd = segments.find((segment) => !isPrintable(segment.name) || !isPrintable(segment.id))
  if (odd !== undefined) {
    throw new NsmError('invalid_argument', 'Cannot accept the path: a name in it has characters that nobody sees', {
      fields: { name: toPrintable(odd.name), id: toPrintable(odd.id) },
    })
  }
  if (index + 1 > segments.length) {
    throw new NsmError('invalid_argument', 'Cannot accept the path: index + 1 must not exceed its number of segments', {
      fields: { index, segments: segments.length },
    })
  }
  if (segments[index]?.id !== id) {
    throw new NsmError('invalid_argument', 'Cannot accept the path: its current id must be the id of the connection', {
      fields: { current: segments[index]?.id, connection: id },
    })
  }
}
