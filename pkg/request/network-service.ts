/**
 * The NetworkService of a node: manager and forwarder in one, a single segment on every path. A request goes down the
 * chain below, one step deciding one thing; close, and expiry, undo what it did.
 */
import type { Call, Connection, ConnectionRequest, NetworkServiceServer } from '../api/index.ts'
import { type Clock, describeError, KeyedQueue, type Logger, withTimeout } from '../base/index.ts'
import { type AuthorizeParts, authorize } from './authorize.ts'
import { begin, checkOwner } from './begin.ts'
import { callNextHop, closeNextHop, type NextHopParts } from './call-next-hop.ts'
import type { CandidateParts } from './candidates.ts'
import { addClientInfo } from './client-info.ts'
import type { ConnectionRecord, ConnectionTable } from './connection-table.ts'
import { type EstablishParts, establish } from './establish.ts'
import { Expiry } from './expiry.ts'
import { arriveHere, updatePath, updateToken } from './follow-path.ts'
import type { Incoming } from './parts.ts'
import { selectClientSide } from './select-client-side.ts'
import { selectEndpoint } from './select-endpoint.ts'
import { chain } from './step.ts'

/** How long a close may look for a far end that is away. */
const CONNECT_MS = 2_000

export interface NetworkServiceParts extends AuthorizeParts, CandidateParts, NextHopParts, EstablishParts {
  readonly table: ConnectionTable
  readonly clock: Clock
  readonly logger: Logger
}

export class NodeNetworkService implements NetworkServiceServer {
  readonly #parts: NetworkServiceParts
  readonly #queue = new KeyedQueue()
  readonly #chain: (incoming: Incoming) => Promise<Connection>
  readonly #expiry: Expiry
  readonly #closing = new AbortController()

  constructor(parts: NetworkServiceParts) {
    this.#parts = parts
    const close = (record: ConnectionRecord) => this.#remove(record)
    this.#chain = chain<Incoming, Connection>()
      .step(updatePath(parts))
      .step(updateToken(parts))
      .step(authorize(parts))
      .step(addClientInfo(parts))
      .step(begin({ table: parts.table, queue: this.#queue, close }))
      .step(selectClientSide(parts))
      .step(selectEndpoint(parts))
      .step(callNextHop(parts))
      .end(establish(parts))
    this.#expiry = new Expiry({ ...parts, onExpired: (record) => void this.end(record.id, 'expired') })
  }

  request(request: ConnectionRequest, call: Call): Promise<Connection> {
    return this.#chain({ request, call })
  }

  /**
   * Ends the caller's own connection; one that is not there has ended already. Needs no path tokens, which may have
   * expired: the certificate says whose it is.
   */
  async close(connection: Connection, call: Call): Promise<void> {
    const { id } = arriveHere(this.#parts, connection, call)
    await this.#queue.run(id, async () => {
      const record = this.#parts.table.get(id)
      if (record === undefined) return
      checkOwner(record, call.peer.spiffeId)
      await this.#remove(record)
    })
  }

  /** Ends a connection of whoever it is: expired, revoked, or closed by an operator. Never throws. */
  async end(id: string, reason: string): Promise<void> {
    const { table, logger } = this.#parts
    await this.#queue.run(id, async () => {
      const record = table.get(id)
      if (record === undefined) return
      logger.info('Ending a connection', { connection: id, reason })
      await this.#remove(record).catch((error: unknown) => {
        logger.error('Cannot remove the wire of a connection: it is tried again', { connection: id, error })
      })
    })
  }

  /** Stops timers and waits for what runs. Connections stay as they are. */
  async shutdown(): Promise<void> {
    this.#expiry.close()
    this.#closing.abort()
    await this.#queue.idle()
  }

  /** The wire first: from here on it is to go, whoever may be away. */
  async #remove(record: ConnectionRecord): Promise<void> {
    const { forwarding, table } = this.#parts
    const farEnd = this.#closeFarEnd(record)
    try {
      await forwarding.remove(record.id, this.#closing.signal)
    } finally {
      table.delete(record.id)
      await farEnd
    }
  }

  async #closeFarEnd({ target, outgoing }: ConnectionRecord): Promise<void> {
    const { nextHops, logger } = this.#parts
    try {
      const hop = await nextHops.connect(target, withTimeout(this.#closing.signal, CONNECT_MS))
      await closeNextHop(this.#parts, hop, outgoing)
    } catch (error) {
      logger.warn('Cannot close the connection at the next hop: it will expire there', {
        connection: outgoing.id,
        error: describeError(error),
      })
    }
  }
}
