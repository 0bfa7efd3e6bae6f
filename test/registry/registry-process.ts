/** nsm-registry as a process of its own, and the clients with which a test talks to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authorityV1, domainV1, type EndpointRegistryClient, type ServiceRegistryClient } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { decodeToken } from '../../pkg/federation/index.ts'
import {
  type Bundles,
  createKeyAndCsr,
  type Identity,
  type StaticSource,
  staticSource,
} from '../../pkg/identity/index.ts'
import {
  Channel,
  type ClientOf,
  type ClientSecurity,
  clientOf,
  endpointRegistryClient,
  serviceRegistryClient,
} from '../../pkg/rpc/index.ts'
import { freePort } from '../lab/free-port.ts'
import { ROOT } from '../lab/programs.ts'

/** sysconf(_SC_CLK_TCK), which Linux has fixed at 100 for user space. */
const TICKS_PER_SECOND = 100
const MAIN = `${ROOT}/cmd/nsm-registry/main.ts`

export const soon = () => ({ signal: AbortSignal.timeout(10_000) })

export interface Clients {
  readonly channel: Channel
  readonly authority: ClientOf<typeof authorityV1.AuthorityService>
  readonly domains: ClientOf<typeof domainV1.DomainsService>
  readonly federation: ClientOf<typeof domainV1.FederationService>
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
}

export interface NodeIdentity {
  readonly source: StaticSource
  readonly answer: authorityV1.IdentityResponse
}

export class RegistryProcess {
  readonly domain: string
  readonly directory: string
  readonly port: number
  readonly #channels: Channel[] = []
  #child: ChildProcess | undefined
  #errors = ''

  private constructor(domain: string, directory: string, port: number) {
    this.domain = domain
    this.directory = directory
    this.port = port
  }

  /** Prepares a registry with empty state; `start` starts it. */
  static async prepare(domain: string): Promise<RegistryProcess> {
    const directory = mkdtempSync(join(tmpdir(), `nsm-${domain}-`))
    return new RegistryProcess(domain, directory, await freePort())
  }

  get adminSocket(): string {
    return join(this.directory, 'run', 'admin.sock')
  }

  get stateDir(): string {
    return join(this.directory, 'state')
  }

  get errors(): string {
    return this.#errors
  }

  /** Resolves when it answers its operator. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const exited = this.run(environment)
    const admin = this.admin()
    for (let tries = 0; tries < 200; tries += 1) {
      const listed = await Promise.race([
        admin.domains.list({}, soon()).then(
          () => 'yes',
          () => 'no',
        ),
        exited,
      ])
      if (listed === 'yes') return
      if (listed !== 'no') throw new Error(`nsm-registry ended: ${this.#errors}`)
      await systemClock.sleep(25)
    }
    throw new Error(`nsm-registry does not answer: ${this.#errors}`)
  }

  /** Starts it and resolves with its exit code. */
  run(environment: Readonly<Record<string, string>> = {}): Promise<number | string> {
    const env = {
      PATH: process.env['PATH'],
      NSM_DOMAIN: this.domain,
      NSM_LISTEN_ON: `tcp://127.0.0.1:${this.port}`,
      NSM_ADMIN_SOCKET: this.adminSocket,
      NSM_STATE_DIR: this.stateDir,
      ...environment,
    }
    this.#errors = ''
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.on('data', (data) => {
      this.#errors += data
    })
    this.#child = child
    return new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone')))
  }

  /** Ends it and resolves with its exit code, or the signal that ended it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | string> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return 'not running'
    const closed = new Promise<number | string>((resolve) => {
      child.once('close', (code, by) => resolve(code ?? by ?? 'gone'))
    })
    child.kill(signal)
    return closed
  }

  /** Time that the running process has spent on a processor. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const ticks = Number(fields[11]) + Number(fields[12]) // utime and stime, see proc(5)
    return (ticks * 1000) / TICKS_PER_SECOND
  }

  /** What nsmctl sees. */
  admin(): Clients {
    return this.#open(`unix://${this.adminSocket}`, 'plaintext')
  }

  /** What a member with that identity sees. */
  as(source: StaticSource): Clients {
    return this.#open(`tcp://127.0.0.1:${this.port}`, { identity: source })
  }

  /** What somebody sees who has nothing but a token. */
  stranger(token: string): Clients {
    const authoritySha256 = Buffer.from(decodeToken(token).fingerprint, 'base64url')
    return this.#open(`tcp://127.0.0.1:${this.port}`, { authoritySha256 })
  }

  /** Invites a node and joins as that node. */
  async joinNode(node: string): Promise<NodeIdentity> {
    const { token } = await this.admin().domains.inviteNode({ node, lifetime: undefined }, soon())
    const { csr, privateKey } = await createKeyAndCsr()
    const answer = await this.stranger(token).authority.joinNode({ token, csr: Buffer.from(csr) }, soon())
    const expiresMs = systemClock.nowMs() + 3_600_000
    const svid = { spiffeId: answer.spiffeId, chain: answer.chain, privateKey, expiresMs }
    return { source: staticSource({ svid, bundles: bundlesOf(answer.trust) } satisfies Identity), answer }
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close()
    await this.stop('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  #open(url: string, security: ClientSecurity): Clients {
    const channel = new Channel(url, { security, clock: systemClock })
    this.#channels.push(channel)
    return {
      channel,
      authority: clientOf(authorityV1.AuthorityService, channel),
      domains: clientOf(domainV1.DomainsService, channel),
      federation: clientOf(domainV1.FederationService, channel),
      services: serviceRegistryClient(channel),
      endpoints: endpointRegistryClient(channel),
    }
  }
}

function bundlesOf(trust: authorityV1.TrustState | undefined): Bundles {
  return new Map([
    [trust?.trustDomain ?? '', trust?.authorities ?? []],
    ...(trust?.domains ?? []).map(({ trustDomain, authorities }) => [trustDomain, authorities] as const),
  ])
}
