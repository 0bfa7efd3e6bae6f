/**
 * The last application on a path: gives each connection its addresses and says in which namespace the wire ends. The
 * node's forwarder makes the interface; whatever program listens in the namespace is what the client reaches.
 */
import { randomUUID } from 'node:crypto'
import {
  arrive,
  type Call,
  type Connection,
  type ConnectionRequest,
  changeSegment,
  KERNEL,
  LOCAL,
  leave,
  type Mechanism,
  type NetworkServiceServer,
  parameter,
} from '../api/index.ts'
import { type Clock, KeyedQueue, type Logger, NsmError } from '../base/index.ts'
import { type IdentitySource, type TokenMinter, verifyPathTokens } from '../identity/index.ts'
import type { PointToPointIpam } from '../ipam/index.ts'
import { generateInterfaceName } from '../tunnel/index.ts'

export interface EndpointOptions {
  /** Name of the endpoint: that of its path segments. */
  readonly name: string
  readonly services: readonly string[]
  readonly ipam: PointToPointIpam
  readonly identity: IdentitySource
  readonly minter: TokenMinter
  readonly clock: Clock
  readonly logger: Logger
}

/** The forwarder takes the namespace from the kernel's record of this process; to name it is for upstream's ones. */
const OWN_NAMESPACE = 'file:///proc/thread-self/ns/net'

interface Served {
  readonly connection: Connection
  /** Who asked; only it may refresh or close. */
  readonly owner: string
  readonly disarm: () => void
}

export class EndpointServer implements NetworkServiceServer {
  readonly #options: EndpointOptions
  readonly #queue = new KeyedQueue()
  readonly #served = new Map<string, Served>()

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  get connections(): number {
    return this.#served.size
  }

  async request({ connection, mechanismPreferences }: ConnectionRequest, call: Call): Promise<Connection> {
    this.#checkService(connection.networkService)
    const arrived = this.#enterPath(connection, call)
    return this.#queue.run(arrived.id, async () => {
      this.#checkOwner(arrived.id, call)
      const mechanism = this.#mechanism(arrived, mechanismPreferences)
      const ip = this.#options.ipam.lease(arrived.id, arrived.context.ip)
      const context = { ...arrived.context, ip }
      const answer: Connection = { ...arrived, endpointName: this.#options.name, mechanism, context, state: 'UP' }
      this.#serve(answer, call)
      return leave(answer, connection)
    })
  }

  async close(connection: Connection, call: Call): Promise<void> {
    const { id } = this.#enterPath(connection, call)
    await this.#queue.run(id, async () => {
      this.#checkOwner(id, call)
      this.#forget(id)
    })
  }

  /** Forgets every connection: nothing stays armed. */
  stop(): void {
    for (const id of [...this.#served.keys()]) this.#forget(id)
  }

  #checkService(service: string): void {
    if (this.#options.services.includes(service)) return
    throw new NsmError('not_found', 'Cannot serve the request: this endpoint has no such network service', {
      fields: { networkService: service, services: this.#options.services.join(',') },
    })
  }

  /** Verifies the path, and writes the caller's token and our own into it; what is behind us is stale. */
  #enterPath(connection: Connection, call: Call): Connection {
    const { name, identity, minter, clock } = this.#options
    if (call.token === undefined) throw new NsmError('unauthenticated', 'Cannot accept the path: it carries no token')
    const arrived = arrive(connection, { name, newId: randomUUID })
    const { index, segments } = arrived.path
    const { svid, bundles } = identity.current()
    const own = minter.token(svid, call.peer.spiffeId)
    const trimmed = { ...arrived, path: { index, segments: segments.slice(0, index + 1) } }
    const told = changeSegment(trimmed, index - 1, { token: call.token.jwt, expiresMs: call.token.expiresMs })
    verifyPathTokens({
      tokens: told.path.segments.slice(0, index).map(({ token }) => token),
      peerIndex: index - 1,
      peer: call.peer,
      audience: svid.spiffeId,
      bundles,
      nowMs: clock.nowMs(),
    })
    return changeSegment(told, index, { token: own.jwt, expiresMs: own.expiresMs })
  }

  #checkOwner(id: string, { peer }: Call): void {
    const served = this.#served.get(id)
    if (served === undefined || served.owner === peer.spiffeId) return
    throw new NsmError('permission_denied', 'Cannot touch the connection: it belongs to another client', {
      fields: { id },
    })
  }

  #mechanism({ mechanism, id, networkService }: Connection, preferences: readonly Mechanism[]): Mechanism {
    const wanted = [...(mechanism === undefined ? [] : [mechanism]), ...preferences]
    if (!wanted.some(({ cls, type }) => cls === LOCAL && type === KERNEL)) {
      const types = wanted.map(({ type }) => type).join(',')
      throw new NsmError('invalid_argument', 'Cannot support any of the requested mechanisms: only KERNEL', {
        fields: { types },
      })
    }
    const before = this.#served.get(id)?.connection.mechanism ?? mechanism
    const name = before?.parameters[parameter.interfaceName] ?? generateInterfaceName(networkService)
    return {
      cls: LOCAL,
      type: KERNEL,
      parameters: { [parameter.interfaceName]: name, [parameter.inodeUrl]: OWN_NAMESPACE },
    }
  }

  #serve(connection: Connection, { peer, token }: Call): void {
    const { clock, logger } = this.#options
    const { id } = connection
    const before = this.#served.get(id)
    before?.disarm()
    const disarm = clock.after((token?.expiresMs ?? clock.nowMs()) - clock.nowMs(), () => {
      logger.info('Connection expired', { id })
      this.#forget(id)
    })
    this.#served.set(id, { connection, owner: peer.spiffeId, disarm })
    if (before === undefined) logger.info('Connection opened', { id, service: connection.networkService })
  }

  #forget(id: string): void {
    const served = this.#served.get(id)
    if (served === undefined) return
    served.disarm()
    this.#served.delete(id)
    this.#options.ipam.release(id)
  }
}
