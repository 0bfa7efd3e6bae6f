/**
 * `nsm-dataplane hold` on a host of the lab, without a daemon: the test plays nsmd, at each of the holder's sockets.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { Attestation } from '../../pkg/api/index.ts'
import { Scope, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { ControlClient, HolderDataplane, HolderRtnl } from '../../pkg/dataplane/index.ts'
import { readPreface } from '../../pkg/netlink/index.ts'
import type { Host } from './host.ts'
import { ENGINE_UID, type Lab } from './lab.ts'
import { DATAPLANE } from './programs.ts'
import { stop } from './shell.ts'

const READY_MS = 10_000

/** Why the kernel cannot be used here, or undefined. */
export function missingForKernelTests(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  if (!existsSync(DATAPLANE)) return `needs ${DATAPLANE}; build it, or set NSM_DATAPLANE`
  return undefined
}

export interface HoldOptions {
  readonly program?: string
  /** Sockets for the daemon. */
  readonly control: string
  readonly dial: string
  readonly deliver: string
  readonly daemonUid: number
  /** Sockets for workloads, by the name of the listener. */
  readonly listen: Readonly<Record<string, string>>
}

/** The command that starts a holder. */
export function holdCommand({ program = DATAPLANE, listen, daemonUid, ...sockets }: HoldOptions): readonly string[] {
  const listeners = Object.entries(listen).flatMap(([name, path]) => ['--listen', `${name}=${path}`])
  const { control, dial, deliver } = sockets
  const users = ['--daemon-uid', `${daemonUid}`, '--engine-uid', `${ENGINE_UID}`]
  return [program, 'hold', '--control', control, '--dial', dial, '--deliver', deliver, ...users, ...listeners]
}

/** A daemon's line to the holder, as nsmd has it. */
export interface DaemonLine {
  readonly dataplane: HolderDataplane
  readonly rtnl: HolderRtnl
}

export interface HolderSpec {
  /** Of its files in the lab's directory. */
  readonly name: string
  readonly program?: string
  /** Lets it make devices in the namespace that it runs in. */
  readonly allowsOwnNamespace?: boolean
}

export class Holder {
  readonly #scope = new Scope()
  readonly #host: Host
  readonly #log: string
  readonly #command: readonly string[]
  readonly #sockets: { readonly control: string; readonly deliver: string; readonly nsm: string }
  readonly #arrivals: ((attestation: Attestation) => void)[] = []
  #process: ChildProcess | undefined

  private constructor(lab: Lab, host: Host, { name, program = DATAPLANE, allowsOwnNamespace = false }: HolderSpec) {
    const folder = lab.folder(name)
    const socket = (of: string) => `${folder}/${of}.sock`
    this.#host = host
    this.#log = `${lab.directory}/${name}.log`
    this.#sockets = { control: socket('control'), deliver: socket('deliver'), nsm: socket('nsm') }
    const { nsm, ...sockets } = this.#sockets
    const command = holdCommand({ program, ...sockets, dial: socket('dial'), daemonUid: 0, listen: { nsm } })
    this.#command = [...command, ...(allowsOwnNamespace ? ['--allow-own-namespace'] : [])]
    this.#scope.defer(() => this.#stop('SIGTERM'))
    lab.defer(() => this.close())
  }

  static async start(lab: Lab, host: Host, spec: HolderSpec): Promise<Holder> {
    const holder = new Holder(lab, host, spec)
    await holder.#takeDeliveries()
    holder.launch()
    return holder
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  async connect(): Promise<DaemonLine> {
    const options = { path: this.#sockets.control, clock: systemClock, logger: silentLogger }
    const client = this.#scope.own(new ControlClient(options))
    const line = { dataplane: new HolderDataplane(client, silentLogger), rtnl: new HolderRtnl(client, silentLogger) }
    await client.ready(AbortSignal.timeout(READY_MS))
    return line
  }

  /** A process on `host` that stays connected to the local API; resolves with what the holder says of it. */
  async connectClient(host: Host): Promise<Attestation & { readonly leave: () => void }> {
    const arrived = new Promise<Attestation>((resolve) => this.#arrivals.push(resolve))
    const script = `require('net').connect(${JSON.stringify(this.#sockets.nsm)})`
    const client = host.start([process.execPath, '-e', script], this.#log)
    return { ...(await arrived), leave: () => client.kill('SIGKILL') }
  }

  /** Resolves when its process is gone. */
  kill(): Promise<void> {
    return this.#stop('SIGKILL')
  }

  /** Starts its process, the first time or after it was killed. */
  launch(): void {
    this.#process = this.#host.start(this.#command, this.#log)
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#process !== undefined) await stop(this.#process, signal)
  }

  /** Notes who comes, as the holder says it, and keeps the connections. */
  async #takeDeliveries(): Promise<void> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        const preface = readPreface(bytes)
        if (preface !== undefined) this.#arrivals.shift()?.(preface.attestation)
      })
    })
    await new Promise<void>((resolve) => server.listen(this.#sockets.deliver, resolve))
    this.#scope.defer(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
  }
}
