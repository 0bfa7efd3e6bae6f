/**
 * The NetworkService of a node: manager and forwarder in one, a single segment on every path. A request goes down the
 * chain below, in which each step decides one thing; close and expiry undo what it did.
 */
import type { Call, Connection, ConnectionRequest, NetworkServiceServer } from '../api/index.ts'
import {
  type Chain,
  type Clock,
  chain,
  Deadlines,
  describeError,
  isAway,
  KeyedQueue,
  type Logger,
  within,
} from '../base/index.ts'
import { type ConnectionRecord, type ConnectionTable, Keepers, WantedWires } from '../connections/index.ts'
import { isNode } from '../policy/index.ts'
import {
  begin,
  expire,
  type Incoming,
  isNamesake,
  limitAnswer,
  limitRequest,
  type PathTokens,
  updatePath,
  updateToken,
  verifyPath,
} from '../steps/index.ts'
import { callNextHop, closeNextHop, type NextHopParts } from './call-next-hop.ts'
import { type AuthorizeParts, addClientInfo, authorize, requireCaller } from './caller.ts'
import type { CandidateParts } from './candidates.ts'
import { checkPolicy, type PolicyParts } from './check-policy.ts'
import { type EstablishParts, establish } from './establish.ts'
import { Leaving } from './leaving.ts'
import { type LimitWiresParts, limitWires } from './limit-wires.ts'
import { requireKeeper } from './require-keeper.ts'
import { reselect } from './reselect.ts'
import { selectClientEnd } from './select-client-end.ts'
import { selectEndpoint } from './select-endpoint.ts'

/** How long a close may look for a far end that is away. */
const CONNECT_MS = 2_000
/** Clients could not refresh while the daemon was down, so they get this long after its return. */
const GRACE_MS = 60_000

export interface NetworkServiceParts
  extends AuthorizeParts,
    PolicyParts,
    CandidateParts,
    Omit<NextHopParts, 'leaving'>,
    EstablishParts,
    LimitWiresParts {
  readonly table: ConnectionTable
  readonly tokens: PathTokens
  readonly clock: Clock
  readonly logger: Logger
}

/** The id of the connection at its next hop. */
function nextId({ outgoing: { path } }: ConnectionRecord): string | undefined {
  return path.segments[path.index + 1]?.id
}

export class NodeNetworkService implements NetworkServiceServer {
  /** What requests and closes go through. */
  readonly chains: { readonly request: Chain<Incoming, Connection>; readonly close: Chain<Incoming, Connection> }
  /** What clients have asked for in vain. */
  readonly wanted: WantedWires
  readonly #parts: NetworkServiceParts
  readonly #queue = new KeyedQueue()
  readonly #deadlines: Deadlines
  readonly #closing = new AbortController()
  readonly #leaving: Leaving
  readonly #keepers = new Keepers()

  constructor(parts: NetworkServiceParts) {
    this.#parts = parts
    this.wanted = new WantedWires(parts.clock)
    this.#deadlines = new Deadlines(parts.clock, (id) => void this.end(id, 'expired'))
    this.#leaving = new Leaving(parts)
    this.#timeStanding()
    this.chains = this.#makeChains()
  }

  async request(request: ConnectionRequest, call: Call): Promise<Connection> {
    const { connection } = request
    try {
      const answer = await this.chains.request.run({ request, call })
      this.wanted.forget(connection, call)
      return answer
    } catch (error) {
      // What stands and cannot be refreshed is shown as it is.
      if (this.#parts.table.idFor(connection, call) === undefined) this.wanted.note(connection, call, error)
      throw error
    }
  }

  /**
   * Ends the caller's own connection; one that is not there has ended already. Needs no path tokens, which may have
   * expired: the certificate says whose it is.
   */
  async close(connection: Connection, call: Call): Promise<void> {
    this.wanted.forget(connection, call)
    await this.chains.close.run({ request: { connection, mechanismPreferences: [] }, call })
  }

  /**
   * Ends a connection, whoever opened it: expired, revoked, or closed by an operator. Never throws.
   * @param isStill whether the reason still holds when it is its turn
   */
  async end(id: string, reason: string, isStill: (record: ConnectionRecord) => boolean = () => true): Promise<void> {
    const { table, logger } = this.#parts
    await this.#queue.run(id, async () => {
      const record = table.get(id)
      if (record === undefined || !isStill(record)) return
      logger.info('Ending a connection', { connection: id, reason })
      await this.#remove(record).catch((error: unknown) => {
        logger.error('Cannot remove the wire of a connection: trying again', { connection: id, error })
      })
    })
  }

  /** Stops timers and waits for what runs. Connections stay as they are. */
  async shutdown(): Promise<void> {
    this.#deadlines.close()
    this.#closing.abort()
    await this.#leaving.close()
    await this.#queue.idle()
  }

  #makeChains() {
    const parts = this.#parts
    const { self, table } = parts
    const path = {
      name: self.name,
      idFor: (connection: Connection, call: Call) => table.idFor(connection, call),
      isNamesakes: (id: string, { peer }: Call) => {
        const record = table.get(id)
        return record !== undefined && isNamesake(record, peer)
      },
    }
    const order = { queue: this.#queue, find: (id: string) => table.get(id) }
    const limits = {
      contextOf: ({ outgoing }: ConnectionRecord) => outgoing.context,
      mayWish: ({ peer }: Call) => isNode(peer.spiffeId, self.domain),
      excludedPrefixes: () => parts.excludedPrefixes(),
    }
    const remove = async ({ connection, known }: { connection: Connection; known: ConnectionRecord | undefined }) => {
      if (known !== undefined) await this.#remove(known)
      return connection
    }
    const request = chain<Incoming, Connection>()
      .step(updatePath(path))
      .step(requireCaller)
      .step(updateToken(parts))
      .step(authorize(parts))
      .step(verifyPath(parts))
      .step(addClientInfo(parts))
      .step(begin(order))
      .step(requireKeeper(this.#keepers))
      .step(expire(this.#deadlines))
      .step(limitRequest(limits))
      .step(limitWires(parts))
      .step(reselect({ table, close: (record) => this.#remove(record), leave: (record) => this.#leave(record) }))
      .step(selectClientEnd(parts))
      .step(selectEndpoint(parts))
      .step(checkPolicy(parts))
      .step(callNextHop({ ...parts, leaving: this.#leaving }))
      .step(limitAnswer)
      .end(establish(parts))
    const close = chain<Incoming, Connection>()
      .step(updatePath(path))
      .step(requireCaller)
      .step(begin(order))
      .end(remove)
    return { request, close }
  }

  /** Nobody waits for it: a next hop that is dead would hold up the wire that has found another. */
  #leave(former: ConnectionRecord): void {
    const now = this.#parts.table.get(former.id)
    if (now !== undefined && nextId(now) === nextId(former)) return // the same hop, which has replaced it itself
    this.#leaving.start(former)
  }

  #timeStanding(): void {
    const { clock, table } = this.#parts
    const soonestMs = clock.nowMs() + GRACE_MS
    for (const { id, expiresMs } of table.all()) this.#deadlines.set(id, Math.max(expiresMs, soonestMs))
  }

  /** The wire first: from here on it is to go, even where the far end is away. */
  async #remove(record: ConnectionRecord): Promise<void> {
    const { forwarding, table } = this.#parts
    const farEnd = this.#closeFarEnd(record)
    try {
      await forwarding.remove(record.id, this.#closing.signal)
    } finally {
      table.delete(record.id)
      this.#keepers.forget(record.id)
      this.#deadlines.clear(record.id)
      await farEnd
    }
  }

  async #closeFarEnd(record: ConnectionRecord): Promise<void> {
    const { target, outgoing } = record
    const { nextHops, clock, logger } = this.#parts
    const { signal } = this.#closing
    try {
      const hop = await within({ clock, ms: CONNECT_MS, signal }, (until) => nextHops.connect(target, until))
      await closeNextHop({ leaving: this.#leaving, clock, logger }, hop, record)
    } catch (error) {
      if (isAway(error) && !signal.aborted) return this.#leaving.start(record)
      logger.warn('Cannot close the connection at the next hop: it will expire there', {
        connection: outgoing.id,
        error: describeError(error),
      })
    }
  }
}
