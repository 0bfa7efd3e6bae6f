/** A SPIRE of one trust domain: its server, and an agent that attests the users of this machine. */
import { writeFileSync } from 'node:fs'
import { freePort } from '../lab/free-port.ts'
import type { Lab } from '../lab/lab.ts'
import { run, start, stop, tryRun } from '../lab/shell.ts'
import { until } from '../lab/until.ts'

/** Where hack/test has built it. */
const FOLDER = process.env['NSM_SPIRE'] ?? ''

export interface Entry {
  /** `/node/n1`, below the trust domain. */
  readonly path: string
  /** The user whose processes get this identity. */
  readonly uid: number
  readonly lifetimeSeconds: number
  /** Other trust domains whose bundles it gets. */
  readonly federatesWith?: readonly string[]
}

export function peerProgram(name: 'spire-server' | 'spire-agent' | 'parse-certificates'): string {
  if (FOLDER === '') throw new Error('NSM_SPIRE names no folder: run hack/test peers, which builds SPIRE')
  return `${FOLDER}/${name}`
}

export class Spire {
  readonly domain: string
  /** Of the Workload API. */
  readonly agentSocket: string
  readonly #serverSocket: string
  readonly #folder: string

  private constructor(lab: Lab, domain: string) {
    this.domain = domain
    this.#folder = lab.folder(`spire-${domain}`)
    this.agentSocket = `${this.#folder}/agent.sock`
    this.#serverSocket = `${this.#folder}/server.sock`
  }

  static async start(lab: Lab, domain: string): Promise<Spire> {
    const spire = new Spire(lab, domain)
    const port = await freePort()
    await spire.#startServer(lab, port)
    await spire.#startAgent(lab, port)
    return spire
  }

  /** Of `spire-server`. @returns what it printed */
  ask(...command: readonly string[]): Promise<string> {
    return run([peerProgram('spire-server'), ...command, '-socketPath', this.#serverSocket])
  }

  async register({ path, uid, lifetimeSeconds, federatesWith = [] }: Entry): Promise<void> {
    const parent = ['-parentID', this.#id('/agent')]
    const who = ['-spiffeID', this.#id(path), '-selector', `unix:uid:${uid}`, '-x509SVIDTTL', `${lifetimeSeconds}`]
    const others = federatesWith.flatMap((domain) => ['-federatesWith', `spiffe://${domain}`])
    await this.ask('entry', 'create', ...parent, ...who, ...others)
  }

  /** The authorities of its trust domain, in PEM. */
  bundle(): Promise<string> {
    return this.ask('bundle', 'show')
  }

  /** Tells it the authorities of another domain. Workloads hear of it when their agent next asks the server. */
  async federate(domain: string, bundle: string): Promise<void> {
    const path = `${this.#folder}/${domain}.pem`
    writeFileSync(path, bundle)
    await this.ask('bundle', 'set', '-id', `spiffe://${domain}`, '-path', path)
  }

  /** Resolves when workloads have been told of exactly these authorities of another domain. */
  async spread(domain: string, bundle: string): Promise<void> {
    const wanted = [...bundle.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)].map(([, base64 = '']) =>
      Buffer.from(base64, 'base64'),
    )
    const bytes = wanted.reduce((sum, { length }) => sum + length, 0)
    await until(`the agent of ${this.domain} to tell of the new bundle of ${domain}`, async () => {
      const told = await this.#told(domain)
      return told.length === bytes && wanted.every((der) => told.includes(der))
    })
  }

  async #told(domain: string): Promise<Buffer> {
    const fetch = ['api', 'fetch', 'x509', '-output', 'json', '-socketPath', this.agentSocket]
    const answer: { readonly federated_bundles?: Readonly<Record<string, string>> } = JSON.parse(
      await run([peerProgram('spire-agent'), ...fetch]),
    )
    return Buffer.from(answer.federated_bundles?.[`spiffe://${domain}`] ?? '', 'base64')
  }

  async #startServer(lab: Lab, port: number): Promise<void> {
    const config = `
      server {
        trust_domain = "${this.domain}"
        bind_address = "127.0.0.1"
        bind_port = "${port}"
        socket_path = "${this.#serverSocket}"
        data_dir = "${this.#folder}"
        log_level = "INFO"
      }
      plugins {
        DataStore "sql" {
          plugin_data { database_type = "sqlite3", connection_string = "${this.#folder}/server.sqlite3" }
        }
        NodeAttestor "join_token" { plugin_data {} }
        KeyManager "memory" { plugin_data {} }
      }`
    this.#launch(lab, 'spire-server', { config, flags: [] })
    await until(`the SPIRE server of ${this.domain}`, async () => {
      const { code } = await tryRun([peerProgram('spire-server'), 'healthcheck', '-socketPath', this.#serverSocket])
      return code === 0
    })
  }

  async #startAgent(lab: Lab, port: number): Promise<void> {
    const bundle = `${this.#folder}/own.pem`
    writeFileSync(bundle, await this.bundle())
    const token = await this.ask('token', 'generate', '-spiffeID', this.#id('/agent'))
    const config = `
      agent {
        trust_domain = "${this.domain}"
        server_address = "127.0.0.1"
        server_port = "${port}"
        socket_path = "${this.agentSocket}"
        trust_bundle_path = "${bundle}"
        data_dir = "${this.#folder}/agent"
        log_level = "INFO"
      }
      plugins {
        NodeAttestor "join_token" { plugin_data {} }
        KeyManager "memory" { plugin_data {} }
        WorkloadAttestor "unix" { plugin_data {} }
      }`
    lab.folder(`spire-${this.domain}/agent`)
    this.#launch(lab, 'spire-agent', { config, flags: ['-joinToken', token.replace(/^Token: /, '').trim()] })
    await until(`the SPIRE agent of ${this.domain}`, async () => {
      const { code } = await tryRun([peerProgram('spire-agent'), 'healthcheck', '-socketPath', this.agentSocket])
      return code === 0
    })
  }

  #launch(lab: Lab, program: 'spire-server' | 'spire-agent', how: { config: string; flags: readonly string[] }): void {
    const path = `${this.#folder}/${program}.conf`
    writeFileSync(path, how.config)
    const log = `${lab.directory}/${program}-${this.domain}.log`
    const child = start([peerProgram(program), 'run', '-config', path, ...how.flags], log)
    lab.defer(() => stop(child))
  }

  #id(path: string): string {
    return `spiffe://${this.domain}${path}`
  }
}
