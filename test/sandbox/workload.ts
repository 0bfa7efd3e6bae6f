/** Clients and endpoints of the sandbox: they get their identity from their node, as every workload does. */
import {
  type Connection,
  type ConnectionRequest,
  type IpContext,
  type NetworkServiceClient,
  type NetworkServiceServer,
  nodeV1,
  type Token,
  type TokenBinding,
} from '../../pkg/api/index.ts'
import { type Clock, errorCode, Scope, silentLogger } from '../../pkg/base/index.ts'
import { KeptWire, parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest, refreshRequest } from '../../pkg/client/requests.ts'
import { EndpointServer, onlyOwnNode, Registration, standingConnections } from '../../pkg/endpoint/index.ts'
import { type IdentitySource, type Svid, TokenMinter } from '../../pkg/identity/index.ts'
import { type Holder, PointToPointIpam, parseGroups } from '../../pkg/ipam/index.ts'
import { ConnectionMonitor } from '../../pkg/monitor/index.ts'
import { withoutPolicy } from '../../pkg/policy/index.ts'
import {
  Channel,
  clientOf,
  endpointRegistryClient,
  monitorClient,
  monitorService,
  networkService,
  networkServiceClient,
  serve,
  serviceRegistryClient,
  workloadApiSource,
} from '../../pkg/rpc/index.ts'
import type { WorkloadPlace } from './test-holder.ts'

const logger = silentLogger

interface Connected {
  readonly identity: IdentitySource
  readonly channel: Channel
  readonly minter: ForgingMinter
}

/** Signs as it should, until a test gives it something else to send. */
class ForgingMinter extends TokenMinter {
  forged: Token | undefined

  override token(svid: Svid, audience: string, binding?: TokenBinding): Token {
    return this.forged ?? super.token(svid, audience, binding)
  }
}

interface Machine {
  readonly clock: Clock
  readonly tokenLifetimeMs?: number | undefined
}

async function connectTo(place: WorkloadPlace, { clock, tokenLifetimeMs }: Machine, scope: Scope): Promise<Connected> {
  const identity = scope.own(await workloadApiSource({ url: place.workloadUrl, clock, logger, signal: scope.signal }))
  const minter = new ForgingMinter(clock, tokenLifetimeMs)
  return {
    identity,
    minter,
    channel: scope.own(new Channel(place.nsmUrl, { security: { identity }, tokens: minter, clock })),
  }
}

export class Workload {
  readonly place: WorkloadPlace
  readonly namespace: string
  readonly channel: Channel
  readonly identity: IdentitySource
  readonly #scope: Scope
  readonly #services: NetworkServiceClient
  readonly #minter: ForgingMinter
  readonly #clock: Clock

  private constructor(
    place: WorkloadPlace,
    { channel, identity, minter, clock }: Connected & { readonly clock: Clock },
    scope: Scope,
  ) {
    this.#clock = clock
    this.#minter = minter
    this.place = place
    this.namespace = place.process.namespace
    this.channel = channel
    this.identity = identity
    this.#scope = scope
    this.#services = networkServiceClient(channel)
  }

  static async open(place: WorkloadPlace, machine: Machine): Promise<Workload> {
    const scope = new Scope()
    const connected = await connectTo(place, machine, scope)
    return new Workload(place, { ...connected, clock: machine.clock }, scope)
  }

  /** From now on, the token of each call. */
  forge(token: Token): void {
    this.#minter.forged = token
  }

  /** @param url `kernel://service[@domain]/interface` */
  request(url: string, change: Partial<Connection> = {}): Promise<Connection> {
    const first = firstRequest({ client: 'client', id: `client-${url}`, url: parseNsmUrl(url), labels: {} })
    return this.send({ ...first, connection: { ...first.connection, ...change } })
  }

  /** As nsm-client does it: refreshed, and healed. */
  keep(url: string): KeptWire {
    const wanted = { client: 'client', id: `client-${url}`, url: parseNsmUrl(url), labels: {} }
    const mesh = { services: this.#services, monitor: monitorClient(this.channel) }
    const options = { requestTimeoutMs: 15_000, isRetried: () => true, clock: this.#clock, logger }
    const wire = KeptWire.open(wanted, { ...mesh, ...options })
    this.#scope.defer(() => wire.close().catch(() => {}))
    return wire
  }

  refresh(connection: Connection): Promise<Connection> {
    return this.send(refreshRequest(connection))
  }

  /** As a client does it: what is unavailable is tried again. */
  async refreshPatiently(connection: Connection): Promise<Connection> {
    for (;;) {
      try {
        return await this.refresh(connection)
      } catch (error) {
        if (errorCode(error) !== 'unavailable') throw error
      }
      await this.#clock.sleep(100, this.#scope.signal)
    }
  }

  send(request: ConnectionRequest): Promise<Connection> {
    return this.#services.request(request, this.#soon())
  }

  async closeWire(connection: Connection): Promise<void> {
    await this.#services.close(connection, this.#soon())
  }

  /** What the node says of `connection` from now on, until `read` has heard enough. */
  async monitor(connection: Connection, isEnough: (state: string) => boolean): Promise<readonly string[]> {
    const [segment] = connection.path.segments
    const selector = {
      pathSegments: [{ name: segment?.name ?? '', id: segment?.id ?? '', token: '' }],
      networkServices: [],
    }
    const heard: string[] = []
    for await (const { type, connections } of monitorClient(this.channel).monitor(selector, this.#soon())) {
      const said = [type, ...[...connections.values()].map(({ state }) => state)].join(' ')
      heard.push(said)
      if (isEnough(said)) break
    }
    return heard
  }

  /** The ids of the connections that the node shows to this workload. */
  async seen(): Promise<readonly string[]> {
    const everything = { pathSegments: [], networkServices: [] }
    for await (const { connections } of monitorClient(this.channel).monitor(everything, this.#soon())) {
      return [...connections.keys()]
    }
    return []
  }

  /** The node's own service, for those who may. */
  node() {
    const client = clientOf(nodeV1.NodeService, this.channel)
    return {
      status: () => client.getStatus({}, this.#soon()),
      wires: () => client.listWires({ id: '' }, this.#soon()),
      close: (id: string) => client.closeWire({ id }, this.#soon()),
    }
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  #soon() {
    return { signal: AbortSignal.any([this.#scope.signal, AbortSignal.timeout(10_000)]) }
  }
}

export interface EndpointOptions {
  readonly service: string
  readonly name: string
  readonly cidr: string
  /** Before it answers a request. */
  readonly pause?: () => Promise<void>
}

/** Gives addresses, and says of them what a test wants it to. */
class TalkingIpam extends PointToPointIpam {
  say = (ip: IpContext) => ip

  override lease(connectionId: string, context: IpContext, holder?: Holder): IpContext {
    return this.say(super.lease(connectionId, context, holder))
  }
}

type Listening = Awaited<ReturnType<typeof serve>>

interface Opened {
  readonly server: EndpointServer
  readonly ipam: TalkingIpam
  readonly listen: () => Promise<Listening>
  readonly listening: Listening
  readonly registration: Registration
}

export class SandboxEndpoint {
  readonly namespace: string
  readonly place: WorkloadPlace
  /** Of its own socket. */
  readonly url: string
  readonly server: EndpointServer
  readonly #ipam: TalkingIpam
  readonly #scope: Scope
  readonly #listen: () => Promise<Listening>
  readonly #registration: Registration
  #listening: Listening

  private constructor(place: WorkloadPlace, { server, ipam, listen, listening, registration }: Opened, scope: Scope) {
    this.#listen = listen
    this.#listening = listening
    this.#registration = registration
    this.namespace = place.process.namespace
    this.place = place
    this.url = endpointUrl(place)
    this.server = server
    this.#ipam = ipam
    this.#scope = scope
  }

  static async open(
    place: WorkloadPlace,
    { service, name, cidr, pause, clock }: EndpointOptions & Machine,
  ): Promise<SandboxEndpoint> {
    const scope = new Scope()
    const { identity, channel, minter } = await connectTo(place, { clock }, scope)
    const ipam = new TalkingIpam(parseGroups(cidr))
    const paths = { maxLifetimeMs: 600_000, unsigned: 'upstream' } as const
    const server = new EndpointServer({ name, services: [service], ipam, identity, minter, ...paths, clock, logger })
    scope.defer(() => server.stop())
    const standing = { monitor: monitorClient(channel), name, clock, logger, signal: scope.signal }
    server.resume(await standingConnections(standing), (await channel.peer(scope.signal)).spiffeId)
    const url = endpointUrl(place)
    const serving = { listen: url, security: { identity }, authorize: onlyOwnNode(identity), clock, logger }
    const monitor = new ConnectionMonitor({ connections: server, isAdmin: () => true, policy: withoutPolicy })
    const services = [networkService(slow(server, pause)), monitorService(monitor)]
    const listen = () => serve({ ...serving, services })
    const listening = await listen()
    const registries = { services: serviceRegistryClient(channel), endpoints: endpointRegistryClient(channel) }
    const registration = new Registration({
      name,
      services: [service],
      labels: {},
      payload: 'IP',
      url,
      isServiceRegistered: true,
      registries,
      clock,
      logger,
    })
    scope.own(registration)
    await registration.done
    const endpoint = new SandboxEndpoint(place, { server, ipam, listen, listening, registration }, scope)
    scope.defer(() => endpoint.kill())
    return endpoint
  }

  /** Ends as a process that is killed: still registered, and answering nobody. */
  kill(): Promise<void> {
    return this.#listening.close()
  }

  /** The same process answers again. */
  async revive(): Promise<void> {
    this.#listening = await this.#listen()
  }

  /** Serves on, and is found by nobody any more. */
  unregister(): Promise<void> {
    return this.#registration.close()
  }

  /** From now on, what it answers about addresses and routes. */
  say(change: (ip: IpContext) => IpContext): void {
    this.#ipam.say = change
  }

  close(): Promise<void> {
    return this.#scope.close()
  }
}

function endpointUrl({ directory }: WorkloadPlace): string {
  return `unix://${directory}/endpoint.sock`
}

function slow(server: EndpointServer, pause = async () => {}): NetworkServiceServer {
  return {
    request: (request, call) => pause().then(() => server.request(request, call)),
    close: (connection, call) => server.close(connection, call),
  }
}
