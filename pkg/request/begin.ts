/**
 * Everything about one connection happens one after the other: requests, refreshes, closes and expiry of the same id
 * never overlap, those of different ids run side by side.
 */
import type { Connection } from '../api/index.ts'
import { errorCode, type KeyedQueue, NsmError } from '../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from './connection-table.ts'
import type { Arrived, Incoming } from './parts.ts'
import type { Step } from './step.ts'

export interface Begun {
  /** The connection as it stands; undefined for a new one. */
  readonly known: ConnectionRecord | undefined
}

export interface BeginParts {
  readonly table: ConnectionTable
  readonly queue: KeyedQueue
  /** Removes a connection whole; does not wait in the queue. */
  close(record: ConnectionRecord): Promise<void>
}

export function begin({ table, queue, close }: BeginParts): Step<Incoming & Arrived, Begun, Connection> {
  return ({ connection, call }, next) =>
    queue.run(connection.id, async () => {
      call.signal.throwIfAborted() // the caller left while it waited
      const record = table.get(connection.id)
      if (record === undefined) return next({ known: undefined })
      checkOwner(record, call.peer.spiffeId)
      if (!isAnother(connection, record)) return refresh(table, record, () => next({ known: record }))
      await close(record)
      return next({ known: undefined })
    })
}

/** @throws {NsmError} `permission_denied` when somebody else opened the connection. */
export function checkOwner(record: ConnectionRecord, caller: string): void {
  if (record.owner === caller) return
  throw new NsmError('permission_denied', 'Cannot touch the connection: it belongs to another client', {
    fields: { connection: record.id, caller },
  })
}

/** Whether the client wants to be joined anew: to any endpoint, or to another one than it has. */
function isAnother(connection: Connection, { connection: standing }: ConnectionRecord): boolean {
  if (connection.state === 'RESELECT_REQUESTED') return true
  if (connection.networkService !== standing.networkService) return true
  return connection.endpointName !== '' && connection.endpointName !== standing.endpointName
}

/** A refresh that fails leaves the wire as it was; only a refusal means that it is no longer wanted at the far end. */
async function refresh<T>(table: ConnectionTable, record: ConnectionRecord, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isRefusal = !['unavailable', 'deadline_exceeded', 'cancelled'].includes(errorCode(error))
    if (isRefusal) table.setState(record.id, 'DOWN')
    throw error
  }
}
