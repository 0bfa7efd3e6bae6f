/**
 * Whole domains in one process: real registries, nodes and endpoints, joined by real gRPC and TLS on loopback; only the
 * kernel and the dataplane are in memory.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { domainV1, type NetworkService, type NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { type Clock, type Logger, NsmError, Scope, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { aheadOf } from '../../pkg/base/testing/index.ts'
import { nsmdConfig, registryConfig } from '../../pkg/config/index.ts'
import { migrations } from '../../pkg/daemon/nsm-registry/migrations.ts'
import { startRegistry } from '../../pkg/daemon/nsm-registry/registry.ts'
import { startNode } from '../../pkg/daemon/nsmd/index.ts'
import { FakeEngine, fakeDataplane } from '../../pkg/dataplane/testing/index.ts'
import { sqliteTrustStore, TrustRecords } from '../../pkg/federation/index.ts'
import type { TrustState } from '../../pkg/node/index.ts'
import { FakeKernel, fakePlatform } from '../../pkg/platform/testing/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import { openDatabase } from '../../pkg/store/index.ts'
import { freePort } from '../lab/free-port.ts'
import { registeredAt, trustStateAt } from './read-registry.ts'
import { type Process, TestHolder, type WorkloadPlace } from './test-holder.ts'
import { type EndpointOptions, SandboxEndpoint, Workload } from './workload.ts'

const soon = () => ({ signal: AbortSignal.timeout(10_000) })

export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'nsm-sandbox-'))
  readonly scope = new Scope()
  /** Of all registries and nodes. */
  readonly logger: Logger
  readonly clock: Clock
  #namespaces = 100

  constructor({ logger = silentLogger, clock = systemClock }: Partial<Pick<Sandbox, 'logger' | 'clock'>> = {}) {
    this.logger = logger
    this.clock = clock
  }

  /** @param environment what its registry is configured with besides */
  async domain(name: string, environment: Readonly<Record<string, string>> = {}): Promise<SandboxDomain> {
    const domain = new SandboxDomain(this, name, { port: await freePort(), environment })
    await domain.start()
    this.scope.defer(() => domain.stop())
    return domain
  }

  /** A network namespace that nobody else has. */
  namespace(): string {
    this.#namespaces += 1
    return `inode://4/${this.#namespaces}`
  }

  async close(): Promise<void> {
    try {
      await this.scope.close()
    } finally {
      rmSync(this.directory, { recursive: true, force: true })
    }
  }
}

export class SandboxDomain {
  readonly name: string
  readonly sandbox: Sandbox
  #port: number
  readonly #environment: Readonly<Record<string, string>>
  readonly #directory: string
  #running: Scope | undefined
  #unjoined = 0

  constructor(
    sandbox: Sandbox,
    name: string,
    { port, environment }: { readonly port: number; readonly environment: Readonly<Record<string, string>> },
  ) {
    this.sandbox = sandbox
    this.name = name
    this.#port = port
    this.#environment = environment
    this.#directory = join(sandbox.directory, name)
  }

  get registryUrl(): string {
    return `tcp://127.0.0.1:${this.#port}`
  }

  /** Starts the registry, again where it was stopped. */
  async start(): Promise<void> {
    const config = registryConfig.read({
      NSM_DOMAIN: this.name,
      NSM_LISTEN_ON: this.registryUrl,
      NSM_ADMIN_SOCKET: join(this.#directory, 'run', 'admin.sock'),
      NSM_STATE_DIR: join(this.#directory, 'state'),
      ...this.#environment,
    })
    const scope = new Scope()
    const { clock, logger } = this.sandbox
    scope.own(await startRegistry(config, { clock, logger, signal: scope.signal }))
    this.#running = scope
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.close()
  }

  /** Its registry goes on at another address. */
  async move(): Promise<void> {
    await this.stop()
    this.#port = await freePort()
    await this.start()
  }

  async admin<T>(run: (domains: ReturnType<typeof domainsClient>) => Promise<T>): Promise<T> {
    return await this.#asOperator((channel) => run(domainsClient(channel)))
  }

  invite(node: string) {
    return this.admin((domains) => domains.inviteNode({ node, lifetime: undefined }, soon()))
  }

  /** A node that has yet to get its token. */
  unjoined(name: string): SandboxNode {
    this.#unjoined += 1
    const directory = join(this.sandbox.directory, `${this.name}-${name}-${this.#unjoined}`)
    const node = new SandboxNode(this, name, { port: 0, directory })
    this.sandbox.scope.defer(() => node.close())
    return node
  }

  /** @param aheadMs how far the clock of its machine is ahead of that of the registry */
  node(name: string, environment: Readonly<Record<string, string>> = {}, aheadMs = 0): Promise<SandboxNode> {
    return this.#startNode(name, { directory: `${this.name}-${name}`, aheadMs }, environment)
  }

  /** Another machine that joins under the name of a node. */
  namesake(name: string): Promise<SandboxNode> {
    return this.#startNode(name, { directory: `${this.name}-${name}-namesake`, aheadMs: 0 })
  }

  async #startNode(
    name: string,
    { directory, aheadMs }: { readonly directory: string; readonly aheadMs: number },
    environment: Readonly<Record<string, string>> = {},
  ): Promise<SandboxNode> {
    const { token } = await this.invite(name)
    const where = { port: await freePort(), directory: join(this.sandbox.directory, directory), aheadMs }
    const node = new SandboxNode(this, name, where, environment)
    await node.prepare(token)
    await node.start()
    this.sandbox.scope.defer(() => node.close())
    return node
  }

  /** A token for the domain of that name. */
  async inviteDomain(domain: string): Promise<string> {
    const { token } = await this.admin((domains) => domains.invite({ domain, lifetime: undefined }, soon()))
    return token
  }

  async joinTo(other: SandboxDomain): Promise<void> {
    await this.joinWith(await other.inviteDomain(this.name))
  }

  async joinWith(token: string): Promise<void> {
    await this.admin((domains) => domains.join({ token }, soon()))
  }

  /** The domains that have joined. */
  async joined(): Promise<readonly domainV1.Domain[]> {
    const { domains } = await this.admin((admin) => admin.list({}, soon()))
    return domains
  }

  /** Services and endpoints as its registry has them. */
  registered(): Promise<readonly (NetworkService | NetworkServiceEndpoint)[]> {
    return this.#asOperator(registeredAt)
  }

  /** Whom its nodes are told to trust. */
  trustState(): Promise<TrustState> {
    return this.#asOperator(trustStateAt)
  }

  /** @param when for whom there */
  async export(service: string, domain = '*', when = ''): Promise<void> {
    await this.admin((domains) => domains.export({ service, domain, when }, soon()))
  }

  async unexport(service: string, domain = '*'): Promise<void> {
    await this.admin((domains) => domains.unexport({ service, domain }, soon()))
  }

  async revoke(name: string): Promise<void> {
    await this.admin((domains) => domains.revoke({ name }, soon()))
  }

  async revokeNode(node: string): Promise<void> {
    await this.admin((domains) => domains.revokeNode({ node }, soon()))
  }

  /** Its registry comes back without its records; the authority's key is kept. */
  async loseRecords(): Promise<void> {
    await this.stop()
    for (const file of ['registry.db', 'registry.db-wal', 'registry.db-shm']) {
      rmSync(join(this.#directory, 'state', file), { force: true })
    }
    await this.start()
  }

  /** Changes what its registry has stored, while that is down. */
  async changeRecords(change: (records: TrustRecords) => Promise<void>): Promise<void> {
    await this.stop()
    const path = join(this.#directory, 'state', 'registry.db')
    const database = openDatabase(path, { application: 'nsm-registry', migrations })
    const records = await TrustRecords.open({ store: sqliteTrustStore(database), ...this.sandbox })
    try {
      await change(records)
    } finally {
      await records.close()
      database.close()
    }
    await this.start()
  }

  async #asOperator<T>(read: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = this.#adminChannel()
    try {
      return await read(channel)
    } finally {
      channel.close()
    }
  }

  #adminChannel(): Channel {
    const url = `unix://${join(this.#directory, 'run', 'admin.sock')}`
    return new Channel(url, { security: 'plaintext', clock: this.sandbox.clock })
  }
}

interface Where {
  readonly port: number
  readonly directory: string
  /** How far the clock of its machine is ahead of that of the registry. */
  readonly aheadMs?: number
}

export class SandboxNode {
  readonly domain: SandboxDomain
  readonly name: string
  readonly kernel = new FakeKernel()
  readonly engine = new FakeEngine(this.kernel)
  readonly #where: Where
  readonly #environment: Readonly<Record<string, string>>
  #holder: TestHolder | undefined
  #running: Scope | undefined

  constructor(domain: SandboxDomain, name: string, where: Where, environment: Readonly<Record<string, string>> = {}) {
    this.domain = domain
    this.name = name
    this.#where = where
    this.#environment = environment
  }

  get url(): string {
    return `tcp://127.0.0.1:${this.#where.port}`
  }

  /** Of its machine. */
  get clock(): Clock {
    return aheadOf(this.domain.sandbox.clock, this.#where.aheadMs ?? 0)
  }

  /** Where its own files are. */
  get directory(): string {
    return this.#where.directory
  }

  /** All that was written to the kernel and the dataplane for wires. */
  get writes(): readonly string[] {
    return [...this.kernel.transcript, ...this.engine.transcript.filter((line) => !line.startsWith('underlay'))]
  }

  /** Names of the links that the mesh has made. */
  links(namespace: string): readonly string[] {
    return [...this.kernel.namespace(namespace).links.values()].map(({ name }) => name)
  }

  async prepare(token: string): Promise<void> {
    this.#holder = await TestHolder.open(this.#where.directory)
    this.useToken(token)
  }

  useToken(token: string): void {
    mkdirSync(this.#where.directory, { recursive: true })
    writeFileSync(this.#tokenFile, token, { mode: 0o600 })
  }

  /** Another daemon that takes itself for this node. */
  second(environment: Readonly<Record<string, string>> = {}): SandboxNode {
    const second = new SandboxNode(this.domain, this.name, this.#where, environment)
    this.domain.sandbox.scope.defer(() => second.close())
    return second
  }

  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const { directory } = this.#where
    const config = nsmdConfig.read({
      NSM_NAME: this.name,
      NSM_DOMAIN: this.domain.name,
      NSM_LISTEN_ON: this.url,
      NSM_REGISTRY_URL: this.domain.registryUrl,
      NSM_STATE_DIR: join(directory, 'state'),
      NSM_DELIVER_SOCKET: join(directory, 'deliver.sock'),
      NSM_DIAL_SOCKET: join(directory, 'dial.sock'),
      NSM_TUNNEL_IP: '127.0.0.1',
      NSM_JOIN_TOKEN_FILE: this.#tokenFile,
      ...this.#environment,
      ...environment,
    })
    const scope = new Scope()
    const machine = { platform: fakePlatform(this.kernel), dataplane: fakeDataplane(this.engine), close() {} }
    const { logger } = this.domain.sandbox
    const options = { clock: this.clock, logger, signal: scope.signal, openMachine: async () => machine }
    scope.own(await startNode(config, options))
    this.#running = scope
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.close()
  }

  async close(): Promise<void> {
    await this.stop()
    this.#holder?.close()
  }

  async workload(uid = 1000, tokenLifetimeMs?: number): Promise<Workload> {
    return this.process({ uid, namespace: this.#newNamespace() }, tokenLifetimeMs)
  }

  /** Root in a shell of the node itself. */
  operator(): Promise<Workload> {
    return this.process({ uid: 0, namespace: this.#newNamespace(), isNodesOwn: true })
  }

  /** A workload of which the kernel says what the test wants. */
  async process(process: Process, tokenLifetimeMs?: number): Promise<Workload> {
    const workload = await Workload.open(await this.holder.place(process), { clock: this.clock, tokenLifetimeMs })
    this.domain.sandbox.scope.defer(() => workload.close())
    return workload
  }

  /** An endpoint of `service` in a namespace of its own; resolves when it is registered. */
  async endpoint({ uid = 2000, ...options }: EndpointOptions & { uid?: number }): Promise<SandboxEndpoint> {
    return this.endpointIn(await this.holder.place({ uid, namespace: this.#newNamespace() }), options)
  }

  /** An endpoint where another one was: the same pod, and another process. */
  async endpointIn(place: WorkloadPlace, options: EndpointOptions): Promise<SandboxEndpoint> {
    const endpoint = await SandboxEndpoint.open(place, { clock: this.clock, ...options })
    this.domain.sandbox.scope.defer(() => endpoint.close())
    return endpoint
  }

  get holder(): TestHolder {
    if (this.#holder === undefined) throw new NsmError('failed_precondition', 'Cannot use the node: not prepared')
    return this.#holder
  }

  #newNamespace(): string {
    const namespace = this.domain.sandbox.namespace()
    this.kernel.addNamespace(namespace)
    return namespace
  }

  get #tokenFile(): string {
    return join(this.#where.directory, 'join-token')
  }
}

function domainsClient(channel: Channel) {
  return clientOf(domainV1.DomainsService, channel)
}
