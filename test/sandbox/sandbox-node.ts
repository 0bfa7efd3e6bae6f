/** A node of the sandbox: a real nsmd whose kernel and dataplane are in memory. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, NsmError, Scope } from '../../pkg/base/index.ts'
import { aheadOf } from '../../pkg/base/testing/index.ts'
import { nsmdConfig } from '../../pkg/config/index.ts'
import { startNode } from '../../pkg/daemon/nsmd/index.ts'
import { FakeEngine, fakeDataplane } from '../../pkg/dataplane/testing/index.ts'
import { FakeKernel, fakePlatform } from '../../pkg/platform/testing/index.ts'
import type { SandboxDomain } from './sandbox.ts'
import { SandboxPods } from './sandbox-pods.ts'
import { type Process, TestHolder, type WorkloadPlace } from './test-holder.ts'
import { type EndpointOptions, SandboxEndpoint, Workload } from './workload.ts'

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
  /** What Kubernetes says of it, where it keeps the wires of pods. */
  readonly pods = new SandboxPods(this.kernel)
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
    const fakes = {
      platform: fakePlatform(this.kernel),
      dataplane: fakeDataplane(this.engine),
      pods: this.pods.namespaces,
    }
    const machine = { ...fakes, close() {} }
    const { logger } = this.domain.sandbox
    const openCluster = async () => this.pods.client()
    const openMachine = async () => machine
    const options = { clock: this.clock, logger, signal: scope.signal, openMachine, openCluster }
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
