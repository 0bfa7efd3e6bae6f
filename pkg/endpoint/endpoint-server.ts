/**
 * The last application on a path: gives each connection its addresses and says in which namespace the wire ends. The
 * node's forwarder makes the interface; whatever program listens in the namespace is what the client reaches.
 */
import {
  type Call,
  type Connection,
  type ConnectionRequest,
  type NetworkServiceServer,
  trustDomainOf,
} from '../api/index.ts'
import { type Chain, type Clock, chain, Deadlines, describeError, KeyedQueue, type Logger } from '../base/index.ts'
import { CallerIds, callerKey } from '../connections/index.ts'
import type { IdentitySource, TokenMinter, UnsignedPath } from '../identity/index.ts'
import type { PointToPointIpam } from '../ipam/index.ts'
import {
  begin,
  expire,
  type Incoming,
  limitRequest,
  ownerOf,
  pathTokens,
  updatePath,
  updateToken,
  verifyPath,
} from '../steps/index.ts'
import { checkService, leaseAddresses, type Served, selectMechanism, trimPath } from './steps.ts'

export interface EndpointOptions {
  /** Name of the endpoint: that of its path segments. */
  readonly name: string
  readonly services: readonly string[]
  readonly ipam: PointToPointIpam
  readonly identity: IdentitySource
  readonly minter: TokenMinter
  /** See `PathTokenParts`. */
  readonly maxLifetimeMs: number
  readonly unsigned: UnsignedPath
  readonly clock: Clock
  readonly logger: Logger
}

/** Clients could not refresh while the endpoint was away, so they get this long after its return. */
const GRACE_MS = 60_000

/** A connection, and the identities on its path that its node does not check for us already: none. */
export interface WatchedConnection {
  readonly connection: Connection
  readonly identities: readonly string[]
}

export interface ConnectionChange {
  readonly type: 'UPDATE' | 'DELETE'
  readonly record: WatchedConnection
}

export class EndpointServer implements NetworkServiceServer {
  /** What requests and closes go through. */
  readonly chains: { readonly request: Chain<Incoming, Connection>; readonly close: Chain<Incoming, Connection> }
  readonly #options: EndpointOptions
  readonly #queue = new KeyedQueue()
  readonly #served = new Map<string, Served>()
  readonly #callers = new CallerIds()
  readonly #listeners = new Set<(change: ConnectionChange) => void>()
  readonly #deadlines: Deadlines

  constructor(options: EndpointOptions) {
    this.#options = options
    this.#deadlines = new Deadlines(options.clock, (id) => this.#expired(id))
    this.chains = this.#makeChains()
  }

  get connections(): number {
    return this.#served.size
  }

  /** What it serves, in its own view. */
  served(): readonly Connection[] {
    return [...this.#served.values()].map(({ connection }) => connection)
  }

  /** The same, for its monitor. Its callers, which are its node alone, see all of it. */
  all(): Iterable<WatchedConnection> {
    return this.served().map(watched)
  }

  subscribe(listener: (change: ConnectionChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  request(request: ConnectionRequest, call: Call): Promise<Connection> {
    return this.chains.request.run({ request, call })
  }

  async close(connection: Connection, call: Call): Promise<void> {
    await this.chains.close.run({ request: { connection, mechanismPreferences: [] }, call })
  }

  /**
   * Takes up what stands already, with its addresses, before anybody new is served.
   * @param connections in our own view
   * @param owner the SPIFFE ID of the node that has them
   */
  resume(connections: readonly Connection[], owner: string): void {
    const { ipam, clock, maxLifetimeMs, logger } = this.#options
    for (const connection of connections) {
      const { id, context, path } = connection
      try {
        ipam.lease(id, context.ip)
      } catch (error) {
        logger.warn('Cannot take up a wire that stands', { id, error: describeError(error) })
        continue
      }
      this.#served.set(id, { connection, owner, ownerNamespace: undefined })
      const expiresMs = path.segments[path.index - 1]?.expiresMs ?? clock.nowMs() + maxLifetimeMs
      this.#deadlines.set(id, Math.max(expiresMs, clock.nowMs() + GRACE_MS))
    }
    if (connections.length > 0) logger.info('Took up the wires that stand', { wires: connections.length })
  }

  /** Forgets every connection: no timer remains. */
  stop(): void {
    for (const id of [...this.#served.keys()]) this.#forget(id)
  }

  #makeChains() {
    const { name, services, ipam, identity } = this.#options
    const tokens = pathTokens(this.#options)
    const path = { name, idFor: (connection: Connection, call: Call) => this.#callers.idFor(connection, call) }
    const remember = (id: string, key: string) => this.#callers.remember(id, key)
    const keep = (connection: Connection, call: Call) => this.#keep(connection, call)
    const forget = (id: string) => this.#forget(id)
    const order = { queue: this.#queue, find: (id: string) => this.#served.get(id) }
    // The node in front of us has dropped wishes of the client; our pool decides about those that are left.
    const limits = { contextOf: ({ connection }: Served) => connection.context, mayWish: () => true }
    const request = chain<Incoming, Connection>()
      .step(checkService(services))
      .step(updatePath(path))
      .step(trimPath)
      .step(updateToken({ tokens }))
      .step(verifyPath({ tokens }))
      .step(begin(order))
      .step(expire(this.#deadlines))
      .step(limitRequest(limits))
      .step(selectMechanism)
      .step(leaseAddresses(ipam, trustDomainOf(identity.current().svid.spiffeId)))
      .end(async function serve({ request, connection, mechanism, context, call }) {
        remember(connection.id, callerKey(request.connection, call))
        return keep({ ...connection, endpointName: name, mechanism, context, state: 'UP' }, call)
      })
    const close = chain<Incoming, Connection>()
      .step(updatePath(path))
      .step(trimPath)
      .step(updateToken({ tokens }))
      .step(verifyPath({ tokens }))
      .step(begin(order))
      .end(async function release({ connection }) {
        forget(connection.id)
        return connection
      })
    return { request, close }
  }

  #keep(connection: Connection, { peer }: Call): Connection {
    const { id, networkService: service } = connection
    if (!this.#served.has(id)) this.#options.logger.info('Connection opened', { id, service })
    this.#served.set(id, { connection, ...ownerOf(peer) })
    this.#tell('UPDATE', connection)
    return connection
  }

  #expired(id: string): void {
    this.#options.logger.info('Connection expired', { id })
    this.#forget(id)
  }

  #forget(id: string): void {
    this.#deadlines.clear(id)
    this.#callers.forget(id)
    const served = this.#served.get(id)
    if (served === undefined) return
    this.#served.delete(id)
    this.#options.ipam.release(id)
    this.#tell('DELETE', served.connection)
  }

  #tell(type: ConnectionChange['type'], connection: Connection): void {
    for (const listener of this.#listeners) listener({ type, record: watched(connection) })
  }
}

function watched(connection: Connection): WatchedConnection {
  return { connection, identities: [] }
}
