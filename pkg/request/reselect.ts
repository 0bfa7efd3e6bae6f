/**
 * What a request means for the connection that stands: a client that wants another endpoint gets a new connection under
 * the same id, everybody else a refresh.
 */
import type { Connection } from '../api/index.ts'
import { errorCode, isAway, type Step } from '../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../connections/index.ts'
import type { Arrived, Begun } from '../steps/index.ts'

export interface ReselectParts {
  readonly table: ConnectionTable
  /** Removes a connection whole; does not wait in the queue. */
  close(record: ConnectionRecord): Promise<void>
}

type Reselected = Begun<ConnectionRecord>

export function reselect({ table, close }: ReselectParts): Step<Arrived & Reselected, Reselected, Connection> {
  return async function reselect({ connection, call, known }, next) {
    call.signal.throwIfAborted() // the caller left while it waited for its turn
    if (known === undefined) return next({ known })
    if (!wantsAnother(connection, known)) return refresh(table, known, () => next({ known }))
    await close(known)
    return next({ known: undefined })
  }
}

/** Whether the client wants any endpoint anew, or another one than it has. */
function wantsAnother(connection: Connection, { connection: standing }: ConnectionRecord): boolean {
  if (connection.state === 'RESELECT_REQUESTED') return true
  if (connection.networkService !== standing.networkService) return true
  return connection.endpointName !== '' && connection.endpointName !== standing.endpointName
}

/** A refresh that fails leaves the wire as it was; only a refusal means that the far end no longer wants it. */
async function refresh<T>(table: ConnectionTable, record: ConnectionRecord, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isRefusal = !isAway(error) && errorCode(error) !== 'cancelled'
    if (isRefusal) table.setState(record.id, 'DOWN')
    throw error
  }
}
