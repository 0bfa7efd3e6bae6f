/**
 * What a request means for the connection that stands: a refresh, or a wish for another endpoint under the same id.
 *
 *     another endpoint is named                --> that one, or an error; what stands goes on
 *     RESELECT_REQUESTED, or another service   --> any other endpoint, else the same one anew
 *     the wire is down, and its client asks    --> any other endpoint, else a refresh
 *     everything else                          --> a refresh
 *
 * Make before break: the new endpoint has accepted and the wire leads to it before the former one is told to close. So a
 * client that only repeats its request when it hears DOWN, as upstream's do, is healed like one that asks for it.
 */
import type { Connection } from '../api/index.ts'
import { describeError, errorCode, isAway, type Step } from '../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../connections/index.ts'
import type { Arrived, Begun } from '../steps/index.ts'

export interface ReselectParts {
  readonly table: ConnectionTable
  /** Removes a connection whole; does not wait in the queue. */
  close(record: ConnectionRecord): Promise<void>
  /** Has the former next hop of a connection that leads elsewhere now close it. Does not wait, and does not throw. */
  leave(former: ConnectionRecord): void
}

export interface Reselected extends Begun<ConnectionRecord> {
  readonly connection: Connection
  /** Whether the request is for another endpoint than that of `known`. */
  readonly wantsOther: boolean
}

type Beginning = Arrived & Begun<ConnectionRecord>

export function reselect(parts: ReselectParts): Step<Beginning, Reselected, Connection> {
  return async function reselect({ connection, call, known }, next) {
    call.signal.throwIfAborted() // the caller left while it waited for its turn
    const anew = (from: ConnectionRecord | undefined) => next({ connection, known: from, wantsOther: false })
    if (known === undefined) return anew(undefined)
    const wish = wishOf(connection, known, call.peer.attestation !== undefined)
    if (wish === 'refresh') return refresh(parts.table, known, () => anew(known))
    const endpointName = wish === 'named' ? connection.endpointName : ''
    const toOther = () => next({ connection: { ...connection, endpointName }, known, wantsOther: true })
    if (wish === 'named') return replace(parts, known, toOther)
    try {
      return await replace(parts, known, toOther)
    } catch {
      call.signal.throwIfAborted()
    }
    if (wish === 'other') return refresh(parts.table, known, () => anew(known))
    await parts.close(known)
    return anew(undefined)
  }
}

type Wish = 'refresh' | 'named' | 'anew' | 'other'

/** @param isClient whether a workload asks; a node that asks has chosen the endpoint. */
function wishOf(connection: Connection, { connection: standing }: ConnectionRecord, isClient: boolean): Wish {
  const { endpointName, networkService } = connection
  if (endpointName !== '' && endpointName !== standing.endpointName) return 'named'
  if (connection.state === 'RESELECT_REQUESTED' || networkService !== standing.networkService) return 'anew'
  return isClient && standing.state === 'DOWN' ? 'other' : 'refresh'
}

async function replace<T>({ leave }: ReselectParts, known: ConnectionRecord, run: () => Promise<T>): Promise<T> {
  const answer = await run()
  leave(known)
  return answer
}

/** A refresh that fails leaves the wire as it was; only a refusal means that the far end no longer wants it. */
async function refresh<T>(table: ConnectionTable, record: ConnectionRecord, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isRefusal = !isAway(error) && errorCode(error) !== 'cancelled'
    if (isRefusal) table.setFault(record.id, 'refresh', `the far end refuses it: ${describeError(error)}`)
    throw error
  }
}
