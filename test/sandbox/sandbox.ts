/**
 * Whole domains in one process: real registries, nodes and endpoints, joined by real gRPC and TLS on loopback; only the
 * kernel and the dataplane are in memory.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { domainV1, type NetworkService, type NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { type Clock, type Logger, Scope, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { registryConfig } from '../../pkg/config/index.ts'
import { migrations } from '../../pkg/daemon/nsm-registry/migrations.ts'
import { startRegistry } from '../../pkg/daemon/nsm-registry/registry.ts'
import { sqliteTrustStore, TrustRecords } from '../../pkg/federation/index.ts'
import type { TrustState } from '../../pkg/node/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import { openDatabase } from '../../pkg/store/index.ts'
import { freePort } from '../lab/free-port.ts'
import { registeredAt, trustStateAt } from './read-registry.ts'
import { SandboxNode } from './sandbox-node.ts'

export { SandboxNode }

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

  /** Another registry of a domain, which shares the store with the first. */
  async sibling(name: string, environment: Readonly<Record<string, string>>): Promise<SandboxDomain> {
    const place = { port: await freePort(), environment, directory: `${name}-sibling` }
    const domain = new SandboxDomain(this, name, place)
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

interface Place {
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
  /** Of its files, below that of the sandbox. */
  readonly directory?: string
}

export class SandboxDomain {
  readonly name: string
  readonly sandbox: Sandbox
  #port: number
  readonly #environment: Readonly<Record<string, string>>
  readonly #directory: string
  #running: Scope | undefined
  #unjoined = 0

  constructor(sandbox: Sandbox, name: string, { port, environment, directory = name }: Place) {
    this.sandbox = sandbox
    this.name = name
    this.#port = port
    this.#environment = environment
    this.#directory = join(sandbox.directory, directory)
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

  /** A node that its platform vouches for, as the environment says. */
  async platformNode(name: string, environment: Readonly<Record<string, string>>): Promise<SandboxNode> {
    const where = { port: await freePort(), directory: join(this.sandbox.directory, `${this.name}-${name}`) }
    const node = new SandboxNode(this, name, where, environment)
    await node.prepare('no invitation')
    await node.start()
    this.sandbox.scope.defer(() => node.close())
    return node
  }

  /** Another machine, which has a copy of a node's state directory. */
  async namesake(node: SandboxNode): Promise<SandboxNode> {
    const directory = `${node.directory}-namesake`
    mkdirSync(join(directory, 'state'), { recursive: true, mode: 0o700 })
    cpSync(join(node.directory, 'state'), join(directory, 'state'), { recursive: true })
    const namesake = new SandboxNode(this, node.name, { port: await freePort(), directory })
    await namesake.prepare('')
    await namesake.start()
    this.sandbox.scope.defer(() => namesake.close())
    return namesake
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

function domainsClient(channel: Channel) {
  return clientOf(domainV1.DomainsService, channel)
}
