/**
 * Network namespaces of a test's own, with the real holder between them: `<prefix>-node` is where the holder runs,
 * others are workloads. All of it is gone after `close`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Scope, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { ControlClient, HolderDataplane, HolderRtnl } from '../../pkg/dataplane/index.ts'
import { formatNamespaceId } from '../../pkg/net/index.ts'
import { type Attestation, readPreface } from '../../pkg/netlink/index.ts'

const DATAPLANE =
  process.env['NSM_DATAPLANE'] ??
  fileURLToPath(new URL('../../pkg/dataplane/native/build/nsm-dataplane', import.meta.url))

/** Why the kernel cannot be used here, or undefined. */
export function missingForKernelTests(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  if (!existsSync(DATAPLANE)) return `needs ${DATAPLANE}; build it, or set NSM_DATAPLANE`
  return undefined
}

export class NetnsLab {
  readonly #scope = new Scope()
  readonly #prefix: string
  readonly directory = mkdtempSync(join(tmpdir(), 'nsm-lab-'))
  readonly #arrivals: ((attestation: Attestation) => void)[] = []
  #holder: ChildProcess | undefined

  private constructor(label: string) {
    this.#prefix = `nsm-t${process.pid}-${label}`
    this.#scope.defer(() => rmSync(this.directory, { recursive: true, force: true }))
  }

  /** A lab with a node namespace in which the holder runs and serves. */
  static async open(label: string): Promise<NetnsLab> {
    const lab = new NetnsLab(label)
    try {
      lab.addNamespace('node')
      await lab.#listen()
      lab.startHolder()
      return lab
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  path(socket: string): string {
    return join(this.directory, socket)
  }

  /** Makes a namespace; returns its `inode://<dev>/<ino>`. */
  addNamespace(name: string): string {
    const netns = `${this.#prefix}-${name}`
    execFileSync('ip', ['netns', 'add', netns])
    this.#scope.defer(() => void execFileSync('ip', ['netns', 'del', netns]))
    const { dev, ino } = statSync(`/run/netns/${netns}`, { bigint: true })
    return formatNamespaceId({ dev, ino })
  }

  ip(name: string, ...args: readonly string[]): string {
    return execFileSync('ip', ['-n', `${this.#prefix}-${name}`, ...args], { encoding: 'utf8', stdio: 'pipe' })
  }

  /** Runs a program in the namespace; returns what it prints. */
  run(name: string, ...command: readonly string[]): string {
    const inside = ['netns', 'exec', `${this.#prefix}-${name}`, ...command]
    return execFileSync('ip', inside, { encoding: 'utf8', stdio: 'pipe' })
  }

  /** All links but `lo`. */
  linkNames(name: string): readonly string[] {
    const links: readonly { readonly ifname: string }[] = JSON.parse(this.ip(name, '-j', 'link'))
    return links.map(({ ifname }) => ifname).filter((ifname) => ifname !== 'lo')
  }

  /** A process in the namespace that stays connected to the local API; resolves with what the holder says of it. */
  async connectClient(name: string): Promise<Attestation & { readonly leave: () => void }> {
    const arrived = new Promise<Attestation>((resolve) => this.#arrivals.push(resolve))
    const script = `require('net').connect(${JSON.stringify(this.path('nsm.sock'))})`
    const child = this.#spawnIn(name, [process.execPath, '-e', script])
    const attestation = await arrived
    return { ...attestation, leave: () => child.kill('SIGKILL') }
  }

  startHolder(): void {
    const args = ['hold', '--control', this.path('control.sock'), '--listen', `nsm=${this.path('nsm.sock')}`]
    const sockets = ['--deliver', this.path('deliver.sock'), '--dial', this.path('dial.sock'), '--daemon-uid', '0']
    this.#holder = this.#spawnIn('node', [DATAPLANE, ...args, ...sockets])
  }

  /** Resolves when the holder's process is gone. */
  async killHolder(): Promise<void> {
    const holder = this.#holder
    const gone = new Promise((resolve) => holder?.once('exit', resolve))
    holder?.kill('SIGKILL')
    await gone
  }

  /** A daemon's line to the holder, as nsmd has it. */
  async connectDaemon() {
    const client = this.#scope.own(
      new ControlClient({ path: this.path('control.sock'), clock: systemClock, logger: silentLogger }),
    )
    const rtnl = new HolderRtnl(client, silentLogger)
    const dataplane = new HolderDataplane(client, silentLogger)
    await client.ready(AbortSignal.timeout(10_000))
    return { client, rtnl, dataplane }
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  #spawnIn(name: string, command: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', `${this.#prefix}-${name}`, ...command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    this.#scope.defer(async () => {
      child.kill('SIGKILL') // `ip netns exec` has become the command itself
      await gone
    })
    return child
  }

  async #listen(): Promise<void> {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        const preface = readPreface(bytes)
        if (preface !== undefined) this.#arrivals.shift()?.(preface.attestation)
      })
    })
    await new Promise<void>((resolve) => server.listen(this.path('deliver.sock'), resolve))
    this.#scope.defer(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
  }
}
